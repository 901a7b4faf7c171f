"""Reads small pictures from a video: first its key frames, then what is worth a closer look."""

from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from etbgm_mixer.media.commands import SAFE
from etbgm_mixer.picture import upper
from etbgm_mixer.picture.groups import GROUP_S, SPIKE_OF_KEY, Packets
from etbgm_mixer.picture.selection import Stretch
from etbgm_mixer.picture.small import HEIGHT, Shrinker, Sight, Small

Head = list[Sight]
"""The first pictures of a group."""

HEAD = 8
"""Most pictures in a head: a third of a second, after which a flash is over."""

REORDERED = 4
"""Packets after the end of a stretch in which pictures of it may still lie, or which they need."""

SPARSE = 0.7
"""Share of the work that reference pictures take where there are others: 0.52 to 0.81 of 1080p by x264."""

NEAR_S = 4.0
"""A stretch that begins this soon after the one before is read on to, not sought."""


class Reader:
    """The stream `index` of a video; times are seconds after `origin_s` of the container's clock.

    Damaged pictures are skipped. Raises ValueError if the stream cannot be decoded at all.
    """

    def __init__(self, path: Path, index: int, origin_s: float) -> None:
        import av

        self._av = av
        self._shrinker = Shrinker()
        self._at_s = np.inf
        self._rest: Iterator[Any] = iter(())
        self._path, self._index, self._origin_s = path, index, origin_s
        self._open()

    def survey(self) -> Packets:
        """Returns the packets of the stream; decodes nothing. Raises ValueError if there are none."""
        seen = _Seen()
        for packet in self._container.demux(self._stream):
            if packet.pts is not None and packet.size:
                seen.take(self._time_s(packet), packet.size)
        if not len(seen):
            raise ValueError("no picture can be decoded")
        return seen.packets()

    def scan(self, is_new: Callable[[Small], bool], pictures_per_s: float) -> Iterator[tuple[Head, int]]:
        """Yields the head of each group and its bytes; afterwards `packets` are those of the stream.

        A head is only the group's first picture unless that `is_new`, and if on average `pictures_per_s`
        would be exceeded.
        """
        self._open()
        self._seen = _Seen()
        head: list[Any] = []
        began_s, left, key_size = -np.inf, float(HEAD), np.inf
        for packet in self._container.demux(self._stream):
            if packet.pts is None or not packet.size:
                continue
            time_s = self._time_s(packet)
            self._seen.take(time_s, packet.size)
            if time_s - began_s >= GROUP_S and self._begins(packet, SPIKE_OF_KEY * key_size):
                key_size = packet.size
                for pictures, size in self._head(head, is_new, left):
                    left -= len(pictures) - 1
                    yield pictures, size
                left = min(4.0 * HEAD, left + pictures_per_s * min(10.0, time_s - began_s))
                head, began_s = [packet], time_s
            elif 0 < len(head) < HEAD:
                head.append(packet)
        yield from self._head(head, is_new, left)

    @property
    def sparse(self) -> float:
        """The share of the work of decoding that pictures take to which others refer."""
        return SPARSE if self._stream.codec_context.has_b_frames else 1.0

    @property
    def packets(self) -> Packets:
        """The packets that `scan` passed."""
        return self._seen.packets()

    @property
    def is_divisible(self) -> bool:
        """Whether the upper parts of pictures can be decoded by themselves."""
        codec = self._stream.codec_context
        return bool(codec.name == upper.CODEC and codec.field_order in upper.PROGRESSIVE)

    def stretch(self, part: Stretch) -> Iterator[Sight]:
        """Yields the pictures of a stretch, in order. Stretches are asked for in order of time."""
        packets = self._between(part.start_s, part.end_s, part.closely_s)
        if part.share < 1:
            yield from self._in_part(packets, part.share)
        else:
            yield from self._decoded(packets, part.start_s - 1e-3, part.end_s + 1e-3)

    def _begins(self, packet: Any, least_size: float) -> bool:
        """Whether a group begins: with a key frame, or a picture that refers to no other, as at a cut."""
        if packet.is_keyframe or packet.size < least_size:
            return bool(packet.is_keyframe)
        self._stream.codec_context.skip_frame = "NONINTRA"
        return bool(list(self._decoded(iter([packet]))))

    def _head(
        self, packets: list[Any], is_new: Callable[[Small], bool], left: float
    ) -> Iterator[tuple[Head, int]]:
        if not packets:
            return
        first_s = self._time_s(packets[0]) - 1e-3
        used = packets[:1]
        pictures = list(self._decoded(iter(used), first_s))
        if pictures and left >= len(packets) and is_new(pictures[0][1]):
            used = packets
            pictures = list(self._decoded(iter(used), first_s))
        if pictures:
            yield pictures, sum(packet.size for packet in used)

    def _between(self, start_s: float, end_s: float, closely_s: float) -> Iterator[Any]:
        """Yields the packets from the one at `start_s` to the picture at `end_s`."""
        if not 0 <= start_s - self._at_s <= NEAR_S:
            self._seek(start_s)
        codec = self._stream.codec_context
        begun = False
        passed = 0
        for packet in self._rest:
            if packet.pts is None or not packet.size:
                continue
            self._at_s = self._time_s(packet)
            begun = begun or self._at_s >= start_s - 1e-3
            codec.skip_frame = "DEFAULT" if self._at_s >= closely_s else "NONREF"
            if begun:
                yield packet
            passed += self._at_s > end_s + 1e-3
            if passed > REORDERED:
                break

    def _in_part(self, packets: Iterator[Any], share: float) -> Iterator[Sight]:
        """Yields the upper parts of pictures. Nothing else may be decoded before or after."""
        codec = self._stream.codec_context
        codec.options = {**codec.options, **upper.OPTIONS}
        beginnings, reach = upper.Beginnings(codec.extradata, share), upper.Reach()
        whole: dict[float, bool] = {}

        def shortened() -> Iterator[Any]:
            for packet in packets:
                beginning = beginnings.of(packet)
                if beginning is packet:
                    whole[self._time_s(packet)] = bool(packet.is_keyframe)
                yield beginning

        for time_s, picture, _ in self._decoded(shortened()):
            rows = reach.rows(picture, time_s in whole)
            if rows >= upper.LEAST_ROWS:
                yield Sight(time_s, picture, HEIGHT if whole.get(time_s) else min(rows, upper.MOST_ROWS))
            whole = {at_s: is_key for at_s, is_key in whole.items() if at_s > time_s}

    def _decoded(
        self, packets: Iterator[Any], first_s: float = -np.inf, last_s: float = np.inf
    ) -> Iterator[Sight]:
        codec = self._stream.codec_context
        codec.flush_buffers()
        for packet in _and_flush(packets):
            try:
                frames = codec.decode(packet)
            except self._av.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is not None and first_s <= self._time_s(frame) <= last_s:
                    yield Sight(self._time_s(frame), self._shrinker.small(frame))
        codec.skip_frame = "DEFAULT"

    def _seek(self, time_s: float) -> None:
        stamp = round((time_s + self._origin_s) / self._stream.time_base)
        try:
            self._container.seek(stamp, stream=self._stream)
        except self._av.FFmpegError:
            self._open()  # without an index: from the start
        self._rest = self._container.demux(self._stream)
        self._at_s = np.inf

    def _open(self) -> None:
        try:
            self._container = self._av.open(str(self._path), options=SAFE)
            self._stream: Any = self._container.streams[self._index]
            codec = self._stream.codec_context
        except (self._av.FFmpegError, IndexError, AttributeError) as error:
            raise ValueError("the picture cannot be decoded") from error
        codec.thread_count = 1
        codec.options = {"skip_loop_filter": "all", "flags": "+output_corrupt"}
        self._at_s = np.inf

    def _time_s(self, timed: Any) -> float:
        return float(timed.pts * self._stream.time_base) - self._origin_s


class _Seen:
    """Packets in growing arrays: 16 bytes each."""

    def __init__(self) -> None:
        self._times, self._sizes = array("d"), array("L")

    def take(self, time_s: float, size: int) -> None:
        """Adds a packet."""
        self._times.append(time_s)
        self._sizes.append(size)

    def __len__(self) -> int:
        return len(self._times)

    def packets(self) -> Packets:
        """Returns all packets."""
        return Packets(np.array(self._times), np.array(self._sizes))


def _and_flush(packets: Iterator[Any]) -> Iterator[Any]:
    yield from packets
    yield None
