"""Looks through a video: its cuts, and what each second of it looks like."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from etbgm_kit.types import Cut
from etbgm_mixer.picture import cuts
from etbgm_mixer.picture.groups import CHANGED, MILD, Flags, Floats, Groups, chosen, groups_of
from etbgm_mixer.picture.reader import Head, Reader, Small
from etbgm_mixer.picture.seconds import Looks, Seconds

BUDGET_PX_PER_S = 16e6
"""Decoded pixels per second of video, besides key frames: all of 540p at 30 Hz, a quarter of 1080p."""

HEADS = 0.4
"""Share of it for the first pictures of groups."""

BLOCK = 500
"""Pictures that are searched together, 3.5 MB, and OVERLAP more, so that no cut lies at an edge."""

OVERLAP = 60

OnProgress = Callable[[float], None]
"""Receives the completed share, [0, 1]."""

SCAN_SHARE = 0.3

FAST = 0.7
"""Change within the third of a second of a head from which the picture moves too fast to be compared."""


def look(
    path: Path,
    index: int,
    origin_s: float,
    duration_s: float,
    pixels: int,
    on_progress: OnProgress,
    budget_px_per_s: float = BUDGET_PX_PER_S,
) -> tuple[list[Cut], Looks]:
    """Returns the cuts, in order, and the looks of each second of the video stream `index`, of `pixels`.

    Raises ValueError if nothing of it can be decoded. Memory does not grow with the pictures.
    """
    reader, seconds = Reader(path, index, origin_s), Seconds(duration_s)
    per_s = budget_px_per_s / pixels
    groups = _scanned(
        reader, seconds, HEADS * per_s, lambda time_s: on_progress(SCAN_SHARE * time_s / duration_s)
    )
    stretches, taken = chosen(groups, (1 - HEADS) * per_s * max(1.0, duration_s))
    found = list(_unseen(groups, taken))
    for stretch in stretches:
        for times_s, pictures, fresh in _blocks(reader.stretch(stretch)):
            hard = [cut for cut in cuts.hard_cuts(times_s, pictures) if cut.time_s > stretch.closely_s]
            both = [*hard, *cuts.gradual_cuts(times_s, pictures)]
            found += [cut for cut in both if fresh[0] <= cut.time_s < fresh[1]]
            seconds.watch(times_s, pictures, hard, fresh)
            on_progress(SCAN_SHARE + (1 - SCAN_SHARE) * min(1.0, float(times_s[-1]) / duration_s))
    seconds.estimate(groups)
    return [cut for cut in sorted(found) if 0 < cut.time_s < duration_s], seconds.looks()


def _scanned(reader: Reader, seconds: Seconds, pictures_per_s: float, on_time: OnProgress) -> Groups:
    starts_s: list[float] = []
    changes: list[float] = []
    before: Head = []

    def is_new(picture: Small) -> bool:
        return not before or cuts.change(before[-1][1], picture) >= CHANGED

    for head in reader.scan(is_new, pictures_per_s):
        changes += [_change(before, head)] if before else []
        starts_s.append(head[0][0])
        times_s, pictures = np.array([at for at, _ in head]), np.stack([picture for _, picture in head])
        seconds.watch(times_s, pictures, (), (-np.inf, np.inf))
        before = head
        on_time(starts_s[-1])
    if not starts_s:
        raise ValueError("no picture can be decoded")
    return groups_of(reader.packets, np.array(starts_s), np.array(changes))


def _change(before: Head, head: Head) -> float:
    """Returns how much the shot has changed from the head of one group to the next.

    The last pictures of the heads are compared, after a flash. A picture that changes as fast within a head
    is a pan or a flash, and says nothing.
    """
    found = cuts.change(before[-1][1], head[-1][1])
    return min(found, MILD) if cuts.change(head[0][1], head[-1][1]) >= FAST else found


def _unseen(groups: Groups, taken: Flags) -> Iterator[Cut]:
    """Yields the cuts of groups that are not decoded: where the encoder saw them, or packets stand out."""
    hidden = groups.hidden
    for i in np.flatnonzero(~taken & (groups.change >= CHANGED)):
        strength = cuts.strength(float(groups.change[i]), 20.0)
        if groups.placed[i]:
            yield Cut(float(groups.ends_s[i]), strength)
        elif hidden[i]:
            yield from (Cut(float(at_s), strength) for at_s in groups.spikes_s[i])


def _blocks(
    pictures: Iterator[tuple[float, Small]],
) -> Iterator[tuple[Floats, cuts.Pictures, tuple[float, float]]]:
    """Yields times, pictures and the span of times that this block answers for; blocks overlap."""
    kept: Sequence[tuple[float, Small]] = ()
    from_s = -np.inf
    while True:
        block = [*kept, *itertools.islice(pictures, BLOCK)]
        last = len(block) < len(kept) + BLOCK
        if len(block) < 2:
            return
        times_s = np.array([time_s for time_s, _ in block])
        until_s = np.inf if last else float(times_s[-OVERLAP // 2])
        yield times_s, np.stack([picture for _, picture in block]), (from_s, until_s)
        if last:
            return
        kept, from_s = block[-OVERLAP:], until_s
