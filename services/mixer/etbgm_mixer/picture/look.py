"""Looks through a video: its cuts, and what each second of it looks like."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from etbgm_kit.types import Cut
from etbgm_mixer.picture import cuts
from etbgm_mixer.picture.groups import BYTE_PX, CHANGED, MILD, Flags, Groups, groups_of, one_group
from etbgm_mixer.picture.reader import Head, Reader
from etbgm_mixer.picture.seconds import Looks, Seconds
from etbgm_mixer.picture.selection import chosen, everything
from etbgm_mixer.picture.small import Block, Sight, Small

BUDGET_PX_PER_S = 80e6
"""Work (see `groups`) per second of video: all of 720p at 30 Hz and 3 Mbit/s, of larger ones a part."""

KEPT = 0.3
"""Least share of it for the groups that are worth a closer look, however much the key frames take."""

HEADS_PER_S = 1.5
"""Pictures per second of video, on average, for a closer look at the beginnings of groups."""

BLOCK = 500
"""Pictures that are searched together, 3.5 MB, and OVERLAP more, so that no cut lies at an edge."""

OVERLAP = 60

RECOLOURED = 15.0
"""Difference of the mean luma or chroma, of 255, from which shots that move fast are told apart."""

OnProgress = Callable[[float], None]
"""Receives the completed share, [0, 1]."""

SCAN_SHARE = 0.3

SAMPLED = 5
"""Every so many pictures are compared with the shot to come."""

SETTLED_S = 0.6
"""How long a shot must be seen after it has come: longer than a flash (`cuts.RETURN_S`)."""

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
    budget_px = budget_px_per_s * max(1.0, duration_s)
    packets = reader.survey()
    groups = one_group(packets, pixels, reader.sparse)
    found: list[Cut] = []
    if whole := everything(groups, budget_px, reader.is_divisible and packets.are_large(pixels)):
        stretches, later = [whole], {}
    else:
        scan = _Scan(reader, seconds, lambda time_s: on_progress(SCAN_SHARE * min(1.0, time_s / duration_s)))
        groups, later = scan.groups(pixels), scan.later
        stretches, taken = chosen(groups, max(KEPT * budget_px, budget_px - scan.work_px))
        found += _unseen(groups, taken)
    for stretch in stretches:
        sights = _until(reader.stretch(stretch), later.get(stretch.leads_to))
        for block, fresh in _blocks(sights):
            hard = [cut for cut in cuts.hard_cuts(block) if cut.time_s > stretch.believed_s]
            both = [*hard, *cuts.gradual_cuts(block)]
            found += [cut for cut in both if fresh[0] <= cut.time_s < fresh[1]]
            seconds.watch(block, hard, fresh)
            on_progress(SCAN_SHARE + (1 - SCAN_SHARE) * min(1.0, float(block.times_s[-1]) / duration_s))
    seconds.estimate(groups)
    return [cut for cut in sorted(found) if 0 < cut.time_s < duration_s], seconds.looks()


class _Scan:
    """Goes through the beginnings of groups.

    `later` has the luma of the first picture of each group that shows another shot than the one before,
    and `work_px` is what decoding took.
    """

    def __init__(self, reader: Reader, seconds: Seconds, on_time: OnProgress) -> None:
        self._reader, self._seconds, self._on_time = reader, seconds, on_time
        self.later: dict[int | None, Small] = {}
        self.work_px = 0.0
        self._before: Head = []

    def groups(self, pixels: int) -> Groups:
        """Returns the groups of the video. Raises ValueError if nothing can be decoded."""
        starts_s: list[float] = []
        changes: list[float] = []
        for head, size in self._reader.scan(self._is_new, HEADS_PER_S):
            if self._before:
                changes.append(_change(self._before, head))
                if changes[-1] >= CHANGED:
                    self.later[len(starts_s)] = head[-1].picture[..., :1].copy()
            starts_s.append(head[0].time_s)
            self.work_px += len(head) * pixels + BYTE_PX * size
            self._seconds.watch(Block.of(head), (), (-np.inf, np.inf))
            self._before = head
            self._on_time(starts_s[-1])
        if not starts_s:
            raise ValueError("no picture can be decoded")
        starts, changed = np.array(starts_s), np.array(changes)
        return groups_of(self._reader.packets, starts, changed, pixels, self._reader.sparse)

    def _is_new(self, picture: Small) -> bool:
        return not self._before or cuts.change(self._before[-1].picture, picture) >= CHANGED


def _until(sights: Iterator[Sight], shot: Small | None) -> Iterator[Sight]:
    """Yields pictures until a while after `shot` (height, width, 1) has come, or all."""
    left_s = np.inf
    for number, sight in enumerate(sights):
        yield sight
        if sight.time_s > left_s:
            return
        if shot is not None and left_s == np.inf and not number % SAMPLED:
            left_s = (
                sight.time_s + SETTLED_S if cuts.change(sight.picture[..., :1], shot) < CHANGED else np.inf
            )


def _change(before: Head, head: Head) -> float:
    """Returns how much the shot has changed from the head of one group to the next.

    The last pictures of the heads are compared, after a flash. A picture that changes as fast within a head
    is a pan or a flash, and says nothing, unless its colours stay and differ from those before, as of water.
    """
    pictures = head[0].picture, head[-1].picture, before[-1].picture
    found = cuts.change(pictures[2], pictures[1])
    if cuts.change(pictures[0], pictures[1]) < FAST:
        return found
    first, last, other = (picture.mean((0, 1)) for picture in pictures)
    apart = np.abs(last - other).max() > max(RECOLOURED, 4 * np.abs(last - first).max())
    return found if apart else min(found, MILD)


def _unseen(groups: Groups, taken: Flags) -> Iterator[Cut]:
    """Yields the cuts of groups that are not decoded: where the encoder saw them, or packets stand out."""
    hidden = groups.hidden
    for i in np.flatnonzero(~taken & (groups.change >= CHANGED)):
        strength = cuts.strength(float(groups.change[i]), 20.0)
        if groups.placed[i]:
            yield Cut(float(groups.ends_s[i]), strength)
        elif hidden[i]:
            yield from (Cut(float(at_s), strength) for at_s in groups.spikes_s[i])


def _blocks(sights: Iterator[Sight]) -> Iterator[tuple[Block, tuple[float, float]]]:
    """Yields blocks of sights, which overlap, and the span of times that each answers for."""
    kept: list[Sight] = []
    from_s = -np.inf
    while True:
        taken = [*kept, *itertools.islice(sights, BLOCK)]
        last = len(taken) < len(kept) + BLOCK
        if len(taken) < 2:
            return
        until_s = np.inf if last else taken[-OVERLAP // 2].time_s
        yield Block.of(taken), (from_s, until_s)
        if last:
            return
        kept, from_s = taken[-OVERLAP:], until_s
