"""The upper parts of H.264 pictures, decoded from the beginnings of their packets.

A slice codes its macroblocks row by row from the top (ITU-T H.264, 7.3.4), and decoding their bits takes most
of the time. Decoding only the beginning of a packet therefore gives the upper part of the picture in a
fraction of the time. Below it, the decoder's buffer keeps older content, which later pictures may carry
upwards until the next key frame.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from etbgm_mixer.picture.small import HEIGHT, Small

CODEC = "h264"
"""Name of the only codec whose pictures are decoded in part."""

PROGRESSIVE = (0, 1)
"""`AV_FIELD_UNKNOWN` and `AV_FIELD_PROGRESSIVE`; the beginning of a packet may be only one of two fields."""

OPTIONS = {"ec": "0"}
"""Of the decoder: do not invent what is missing, which takes as long as to decode it."""

WHOLE_BYTES = 3000
"""A smaller packet is decoded wholly; of a picture that stands still, it is all there is."""

RECENT = 16
"""Pictures in a decoder's memory, which are used in turn (H.264, A.3.1)."""

FIRST = 8
"""Packets that are decoded wholly at first, to fill the memory with pictures."""

LEAST_ROWS, MOST_ROWS = 6, 12
"""Fewer rows of a small picture show too little; more, except those of key frames, are often spoiled."""

EMPTY = 4
"""Chroma of unused memory, 0 before scaling; pictures have 16 or more."""


class Beginnings:
    """Takes the beginnings of packets: `share` of their bytes, (0, 1]."""

    def __init__(self, extradata: bytes | None, share: float) -> None:
        # AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1); without it, units follow start codes.
        self._prefix = (extradata[4] & 3) + 1 if extradata and extradata[0] == 1 else 0
        self._share = share
        self._passed = 0

    def of(self, packet: Any) -> Any:
        """Returns a packet of the first bytes, or the packet itself if it is to be decoded wholly."""
        import av

        self._passed += 1
        size = max(WHOLE_BYTES, int(self._share * packet.size))
        if packet.is_keyframe or packet.size <= size or self._passed <= FIRST:
            return packet
        beginning = av.Packet(beginning_of(bytes(packet), size, self._prefix))
        beginning.pts, beginning.dts, beginning.time_base = packet.pts, packet.dts, packet.time_base
        return beginning


def beginning_of(units: bytes, size: int, prefix: int) -> bytes:
    """Returns at most `size` bytes of NAL units whose lengths take `prefix` bytes; 0: without lengths."""
    if not prefix:
        return units[:size]
    at = 0
    while (end := at + prefix + int.from_bytes(units[at : at + prefix])) < size - prefix:
        at = end
    length = min(end, size) - at - prefix
    return units[:at] + length.to_bytes(prefix) + units[at + prefix : at + prefix + length]


class Reach:
    """Tells how many rows of small pictures are decoded: those below repeat what memory had before."""

    def __init__(self) -> None:
        self._known: list[list[bytes]] = [[] for _ in range(HEIGHT)]
        self._rows = HEIGHT

    def rows(self, picture: Small, is_whole: bool) -> int:
        """Returns the rows, 0 to HEIGHT, without the last one, of which a part may be new.

        A picture without a new row stands still, and shows as much as the one before.
        """
        new = [row for row, values in enumerate(picture) if self._is_new(row, values)]
        self._rows = HEIGHT if is_whole else new[-1] if new else self._rows
        return self._rows

    def _is_new(self, row: int, values: NDArray[np.uint8]) -> bool:
        known, content = self._known[row], values.tobytes()
        is_new = content not in known and bool(values[:, 1:].max() > EMPTY)
        self._known[row] = [*known[1 - RECENT :], content]
        return is_new
