"""Counts the fields of a large request before it is decoded: an empty message of two bytes takes a hundred.

A decoded request may be fifty times as large as on the way. The limits on what it contains are checked after
it was decoded, when the requests of all callers are in memory at once.

The wire format: https://protobuf.dev/programming-guides/encoding.
"""

from functools import cache

from google.protobuf.descriptor import Descriptor

from etbgm_gateway.api.limits import is_flat
from etbgm_kit.errors import InvalidField

SMALL_BYTES = 16 << 10
"""Smaller requests are not counted."""

_CONTINUED = 0x80
_VARINT, _I64, _LEN, _I32 = 0, 1, 2, 5


class _Malformed(Exception):
    """The decoder finds out what is wrong."""


class FieldCount:
    """Counts the fields of one request, at any depth. Pure."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data, self._most, self._left = data, most, most

    def check(self, kind: Descriptor) -> None:
        """Raises InvalidField if a message of this kind has more than `most` fields."""
        if len(self._data) > SMALL_BYTES:
            try:
                self._count(kind, 0, len(self._data))
            except (_Malformed, IndexError, RecursionError):
                return

    def _count(self, kind: Descriptor, at: int, end: int) -> None:
        data, inner = self._data, _inner(kind)
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise InvalidField("request", f"has more than {self._most:,} fields (ETBGM_MAX_FIELDS)")
            tag, at = data[at], at + 1
            if tag >= _CONTINUED:
                tag, at = self._varint(at - 1)
            form = tag & 7
            if form == _LEN:
                length, at = data[at], at + 1
                if length >= _CONTINUED:
                    length, at = self._varint(at - 1)
                if length and (tag >> 3) in inner:
                    self._count(inner[tag >> 3], at, min(end, at + length))
                at += length
            elif form == _VARINT:
                _, at = self._varint(at)
            else:
                # What a group contains counts as if it were outside; no field of ours is one.
                at += {_I64: 8, _I32: 4}.get(form, 0)

    def _varint(self, at: int) -> tuple[int, int]:
        """The number at this place, and the place after it."""
        value = shift = 0
        while True:
            byte = self._data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < _CONTINUED:
                return value, at
            if shift >= 70:
                raise _Malformed


@cache
def _inner(kind: Descriptor) -> dict[int, Descriptor]:
    """The messages within messages of this kind that are counted too, by the number of their field."""
    inner = {field.number: field.message_type for field in kind.fields if field.message_type}
    return {
        number: message for number, message in inner.items() if message and not is_flat(message.full_name)
    }
