"""Groups of pictures, and which of them are worth decoding. Pure.

A group begins with a picture that refers to no other, mostly a key frame. Such pictures cost little, and
encoders place them at cuts. What happens between two of them shows in their difference and in the sizes of
the packets: a picture that has nothing in common with the one before it is as large as a key frame. The
suspicious groups are decoded first, within a budget.

Work is counted in pixels: a picture is as much work as it has pixels, and each byte as much as BYTE_PX more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

GROUP_S = 0.3
"""Shortest group: closer key frames (every picture is one in editing codecs) belong to one group."""

SPIKE = 3.0
"""A packet this many times as large as its neighbours may begin another shot."""

SPIKE_OF_KEY = 0.3
"""The same, relative to the key frame of its group: the rest is noise between tiny packets."""

NEIGHBOURS = 12
"""Packets on either side with which one is compared: half a second."""

CHANGED = 0.4
"""From this change (`cuts.change`) on, two pictures are of different shots."""

MILD = 0.2
"""From this change on, something happened between two key frames."""

AROUND_S = 0.4
"""How much is decoded before and after a spike, to see what it is: the picture may come back."""

BYTE_PX = 130.0
"""Pixels that take as long as a byte: H.264 of 1080p took 2.5 ms a picture and 0.16 ms a kilobyte."""

EARLY = 0.6
"""Share of a group that is decoded if one stops once its cut is found."""

QUIET = 0.25
"""Largest share of the budget for groups that seem to be of one shot, if not all can be decoded."""

WORTHWHILE = 0.1
"""Least share of a group that is decoded if there is not time for all of it."""

SAME_LENGTH_S = 0.02
"""Groups whose lengths differ by less have the encoder's regular length."""


class Stretch(NamedTuple):
    """Pictures to decode, [start_s, end_s] from a key frame; before `closely_s` only reference pictures.

    `leads_to` is the group at whose shot one may stop, if there is such a group.
    """

    start_s: float
    end_s: float
    closely_s: float
    leads_to: int | None = None


@dataclass(frozen=True)
class Packets:
    """The packets of a stream in decoding order: times and sizes in bytes, (n,) each."""

    times_s: Floats
    sizes: NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """The groups of a video, (n,) each: start, work to decode it, the times of packets that stand out.

    `change` is how much the first pictures of the next group differ; MILD for the last, where it is unknown.
    `placed` tells whether the encoder chose where the next group begins, rather than the clock. `rate` is the
    bytes per second besides the key frame.
    """

    starts_s: Floats
    work_px: Floats
    spikes_s: tuple[Floats, ...]
    change: Floats
    placed: Flags
    rate: Floats
    end_s: float

    @property
    def ends_s(self) -> Floats:
        """Where the next group begins, or the video ends."""
        return np.append(self.starts_s[1:], self.end_s)

    @property
    def hidden(self) -> Flags:
        """Whether another shot may begin within the group."""
        return np.array([len(at) > 0 for at in self.spikes_s], bool)


def groups_of(packets: Packets, starts_s: Floats, changes: Floats, pixels: int) -> Groups:
    """Returns the groups that begin at `starts_s` (n,) and whose first pictures differ by `changes` (n - 1,).

    Groups whose first picture could not be decoded are part of the group before.
    """
    order = np.argsort(packets.times_s, kind="stable")
    times_s, sizes = packets.times_s[order], packets.sizes[order].astype(np.float64)
    prominence = sizes / np.maximum(1.0, _surroundings(sizes))
    edges = np.searchsorted(times_s, starts_s - 1e-4)
    ends = np.append(edges[1:], len(times_s))
    spikes, rate, work_px = [], np.zeros(len(edges)), np.zeros(len(edges))
    for i, (key, end) in enumerate(zip(edges, ends, strict=True)):
        inner = slice(key + 1, end)
        stands_out = (prominence[inner] >= SPIKE) & (sizes[inner] >= SPIKE_OF_KEY * sizes[key])
        spikes.append(times_s[inner][stands_out])
        work_px[i] = pixels * (end - key) + BYTE_PX * sizes[key:end].sum()
        rate[i] = sizes[inner].sum() / max(1e-3, times_s[end - 1] - starts_s[i])
    last_s = float(times_s[-1])
    placed = _is_placed(np.diff(np.append(starts_s, last_s)))
    return Groups(starts_s, work_px, tuple(spikes), np.append(changes, MILD), placed, rate, last_s)


def chosen(groups: Groups, budget_px: float) -> tuple[list[Stretch], Flags]:
    """Returns what to decode with so much work, and which groups that is as a whole.

    First the groups in which a shot seems to begin, up to there; then those that change gradually, and those
    before a key frame that the encoder placed. A little of the rest, evenly, tells how the picture moves.
    """
    count = len(groups.starts_s)
    if groups.work_px.sum() <= budget_px:
        return [Stretch(float(groups.starts_s[0]), groups.end_s, float(groups.starts_s[0]))], np.ones(
            count, bool
        )
    hidden = groups.hidden
    changed = (groups.change >= CHANGED) & ~groups.placed
    moved = (groups.change >= MILD) & ~groups.placed
    rank = np.select([hidden & moved, hidden, moved, groups.change >= MILD], [0, 1, 2, 3], 4)
    work_px = np.where(changed, EARLY, 1.0) * groups.work_px
    for i in np.flatnonzero(hidden):
        length_s = max(1e-3, groups.ends_s[i] - groups.starts_s[i])
        work_px[i] = EARLY * groups.work_px[i] * (groups.spikes_s[i][-1] - groups.starts_s[i]) / length_s
    evenly = np.modf(np.arange(count) * 0.6180339887)[0]  # low-discrepancy: any prefix is spread evenly
    moved, changed = moved & ~hidden, changed & ~hidden
    share, quiet_px = np.zeros(count), QUIET * budget_px
    for i in np.lexsort((evenly, np.where(rank < 4, work_px, 0), rank)):
        left_px = budget_px if rank[i] < 4 else min(budget_px, quiet_px)
        affordable = min(1.0, left_px / work_px[i])
        if affordable == 1 or (moved[i] and not hidden[i] and affordable > WORTHWHILE):
            share[i] = affordable
            budget_px -= share[i] * work_px[i]
            quiet_px -= work_px[i] * (rank[i] == 4)
    taken = share > 0
    parts = (*_parts(groups, taken & hidden), *_leading(groups, share * moved, changed))
    return sorted([*_whole(groups, taken & ~hidden & ~moved), *parts]), taken


def _whole(groups: Groups, taken: Flags) -> Iterator[Stretch]:
    """Yields the runs of groups that are taken."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], taken, [False])).astype(int)))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        start_s = float(groups.starts_s[first])
        yield Stretch(start_s, float(groups.ends_s[end - 1]), start_s)


def _parts(groups: Groups, taken: Flags) -> Iterator[Stretch]:
    """Yields the beginnings of groups, to their last spike."""
    for i in np.flatnonzero(taken):
        at_s = groups.spikes_s[i]
        end_s = min(float(at_s[-1]) + AROUND_S, float(groups.ends_s[i]))
        yield Stretch(float(groups.starts_s[i]), end_s, float(at_s[0]) - AROUND_S)


def _leading(groups: Groups, share: Floats, changed: Flags) -> Iterator[Stretch]:
    """Yields the beginnings of groups in which something moves; those of another shot may be left early."""
    for i in np.flatnonzero(share).tolist():
        start_s, length_s = float(groups.starts_s[i]), float(groups.ends_s[i] - groups.starts_s[i])
        yield Stretch(start_s, start_s + float(share[i]) * length_s, start_s, i + 1 if changed[i] else None)


def _is_placed(lengths_s: Floats) -> Flags:
    """Returns which groups are not of the encoder's regular length, (n,).

    That is the longest one, if it occurs at least twice; the last group ends with the video and does not
    count.
    """
    longest_s = float(lengths_s[:-1].max(initial=0.0))
    regular = np.abs(lengths_s - longest_s) < SAME_LENGTH_S
    placed: Flags = ~regular | (np.count_nonzero(regular[:-1]) < 2)
    return placed


def _surroundings(sizes: Floats) -> Floats:
    """Returns the 80th percentile of the NEIGHBOURS on either side: B pictures are small."""
    if len(sizes) <= NEIGHBOURS:
        return np.full(len(sizes), float(np.quantile(sizes, 0.8)) if len(sizes) else 0.0)
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(sizes, NEIGHBOURS, mode="reflect"), 2 * NEIGHBOURS + 1
    )
    near = [np.partition(windows[i : i + 4096], 19, axis=1)[:, 19] for i in range(0, len(windows), 4096)]
    return np.concatenate(near)
