"""Groups of pictures, and what their packets tell of them. Pure.

A group begins with a picture that refers to no other, mostly a key frame. Such pictures cost little, and
encoders place them at cuts. What happens between two of them shows in their difference and in the sizes of
the packets: a picture that has nothing in common with the one before it is as large as a key frame.

Work is counted in pixels: a picture is as much work as it has pixels, and each byte as much as BYTE_PX more.
"""

from dataclasses import dataclass

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

BYTE_PX = 130.0
"""Pixels that take as long as a byte: H.264 of 1080p took 2.5 ms a picture and 0.16 ms a kilobyte."""

SAME_LENGTH_S = 0.02
"""Groups whose lengths differ by less have the encoder's regular length."""


@dataclass(frozen=True)
class Packets:
    """The packets of a stream in decoding order: times and sizes in bytes, (n,) each."""

    times_s: Floats
    sizes: NDArray[np.int64]

    def are_large(self, pixels: int) -> bool:
        """Whether the bytes of pictures take longer than their `pixels`, which they do not in slides."""
        return bool(BYTE_PX * self.sizes.sum() > pixels * len(self.sizes))


@dataclass(frozen=True)
class Groups:
    """The groups of a video, (n,) each: start, work to decode it, the times of packets that stand out.

    `change` is how much the first pictures of the next group differ; MILD for the last, where it is unknown.
    `placed` tells whether the encoder chose where the next group begins, rather than the clock. `rate` is the
    bytes per second besides the key frame. `sparse` is the share of the work that reference pictures take.
    """

    starts_s: Floats
    work_px: Floats
    spikes_s: tuple[Floats, ...]
    change: Floats
    placed: Flags
    rate: Floats
    end_s: float
    sparse: float = 1.0

    @property
    def ends_s(self) -> Floats:
        """Where the next group begins, or the video ends."""
        return np.append(self.starts_s[1:], self.end_s)

    @property
    def hidden(self) -> Flags:
        """Whether another shot may begin within the group."""
        return np.array([len(at) > 0 for at in self.spikes_s], bool)


def one_group(packets: Packets, pixels: int, sparse: float) -> Groups:
    """Returns all packets as one group."""
    return groups_of(packets, packets.times_s.min(keepdims=True), np.array([]), pixels, sparse)


def groups_of(
    packets: Packets, starts_s: Floats, changes: Floats, pixels: int, sparse: float = 1.0
) -> Groups:
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
    return Groups(starts_s, work_px, tuple(spikes), np.append(changes, MILD), placed, rate, last_s, sparse)


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
