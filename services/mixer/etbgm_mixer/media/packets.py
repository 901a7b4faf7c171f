"""Reads all packets of a file: where its streams end, and whether their clock can be believed."""

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from etbgm_mixer.media import ffmpeg
from etbgm_mixer.media.commands import SAFELY
from etbgm_mixer.media.ffmpeg import Unreadable

JUMP_S = 10.0
"""A larger step forward in a transport stream is a discontinuity (ffmpeg's dts_delta_threshold)."""

BACK_S = 0.5
"""Decoding times that step back further restart; smaller steps are rounding or a muxer's fault."""

ENCRYPTED = "Encryption info"
"""Side data of packets in encrypted files (ISO/IEC 23001-7, common encryption)."""

RESTARTING = frozenset({"mpegts", "mpeg", "mpegvideo", "asf"})
"""Formats whose clock may jump (ffmpeg's AVFMT_TS_DISCONT)."""


@dataclass(slots=True)
class Packets:
    """The packets of each stream, by its index; times in seconds on the container's clock.

    `counts` includes packets that the file's edit list leaves out. `is_steady` is False if times are
    missing, restart or jump; then `starts_s` and `ends_s` are meaningless.
    """

    starts_s: dict[int, float] = field(default_factory=dict)
    ends_s: dict[int, float] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    is_steady: bool = True


def read(
    path: Path, judged: Collection[int], restarting: bool, max_duration_s: float, timeout_s: float
) -> Packets:
    """Reads the packets of `path`; the clock is judged by the streams `judged`.

    `restarting` tells whether the container's clock may jump. Stops once the file is longer than
    `max_duration_s`. Raises Unreadable for encrypted files and after `timeout_s`.
    """
    command = ["ffprobe", "-v", "quiet", *SAFELY, "-show_entries"]
    fields = "packet=stream_index,pts_time,dts_time,duration_time,flags:packet_side_data=side_data_type"
    command += [fields, "-of", "csv=p=0", str(path)]
    reader = _Reader(judged, restarting)
    try:
        with closing(ffmpeg.rows(command, timeout_s)) as rows:
            for row in rows:
                if ENCRYPTED in row:
                    raise Unreadable("video", "is encrypted")
                if len(row) >= 5 and row[0].isdigit():
                    at_s, decoded_s, lasts_s = map(_seconds, row[1:4])
                    reader.take(int(row[0]), at_s, decoded_s, lasts_s, row[4])
                    if reader.duration_s > max_duration_s:
                        break
    except TimeoutError:
        raise Unreadable("video", f"could not be looked through in {timeout_s:.0f} s") from None
    return reader.packets


class _Reader:
    def __init__(self, judged: Collection[int], restarting: bool) -> None:
        self.packets = Packets()
        self.duration_s = 0.0
        self._judged = judged
        self._restarting = restarting
        self._start_s: float | None = None
        self._decoded_s: dict[int, float] = {}
        self._lasted_s: dict[int, float] = {}

    def take(
        self, index: int, at_s: float | None, decoded_s: float | None, lasts_s: float | None, flags: str
    ) -> None:
        """Takes the next packet in the file's order."""
        packets = self.packets
        packets.counts[index] = packets.counts.get(index, 0) + 1
        if "D" in flags or index not in self._judged:  # D, discard: the file's edit list leaves it out
            return
        self._follow(index, decoded_s)
        packets.is_steady &= at_s is not None
        if at_s is None or not packets.is_steady:
            return
        lasts_s = self._lasted_s.get(index, 0.0) if lasts_s is None else lasts_s
        self._lasted_s[index] = lasts_s
        packets.starts_s[index] = min(packets.starts_s.get(index, at_s), at_s)
        packets.ends_s[index] = max(packets.ends_s.get(index, at_s), at_s + lasts_s)
        self._start_s = at_s if self._start_s is None else min(self._start_s, at_s)
        self.duration_s = max(self.duration_s, packets.ends_s[index] - self._start_s)

    def _follow(self, index: int, decoded_s: float | None) -> None:
        if decoded_s is None:
            return
        step_s = decoded_s - self._decoded_s.get(index, decoded_s)
        if step_s < -BACK_S or (self._restarting and step_s > JUMP_S):
            self.packets.is_steady = False
        self._decoded_s[index] = decoded_s


def _seconds(text: str) -> float | None:
    return None if text == "N/A" else float(text)
