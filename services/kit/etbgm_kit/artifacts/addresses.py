"""Addresses of artifacts: they name content and nothing of the store, so a store can be moved.

artifact://sha256/ab12…ef.flac    the address
artifacts/ab/ab12…ef.flac         the key in the store
"""

import mimetypes
import re

_PREFIX = "artifact://sha256/"
_ADDRESS = re.compile(_PREFIX + r"([0-9a-f]{64})((?:\.[A-Za-z0-9]{1,16})?)")
_OLD_ADDRESS = re.compile(
    r"(?:file|s3)://[^\0]*/artifacts/([0-9a-f]{2})/(\1[0-9a-f]{62})((?:\.[A-Za-z0-9]{1,16})?)"
)
"""Release 0.1 wrote the URL of the store before the key."""

ANY_TYPE = "application/octet-stream"
"""The media type of content of which none is known."""

_SUFFIXES = {
    ANY_TYPE: "",
    "application/x-otio+json": ".otio",
    "application/x-subrip": ".srt",
    "audio/flac": ".flac",
    "audio/midi": ".mid",
    "text/vtt": ".vtt",
    "video/quicktime": ".mov",
    "video/x-matroska": ".mkv",
}


def address_of(sha256: str, media_type: str) -> str:
    """The address of the content with this SHA-256 (64 hexadecimal digits) and media type."""
    suffix = _SUFFIXES.get(media_type)
    return f"{_PREFIX}{sha256}{mimetypes.guess_extension(media_type) or '' if suffix is None else suffix}"


def address_named(name: str) -> str:
    """The address whose last part is `name`."""
    return f"{_PREFIX}{name}"


def media_type_of(name: str) -> str:
    """The media type that the suffix of an address or key stands for."""
    suffix = f".{name.rpartition('.')[2]}" if "." in name else ""
    known = next((media_type for media_type, one in _SUFFIXES.items() if one == suffix), None)
    return known or mimetypes.guess_type(name)[0] or ANY_TYPE


def parsed(address: str) -> tuple[str, str] | None:
    """The SHA-256 and the key of an address, also of one of release 0.1; None if it is no address."""
    if found := _ADDRESS.fullmatch(address):
        sha256, suffix = found.groups()
    elif found := _OLD_ADDRESS.fullmatch(address):
        _, sha256, suffix = found.groups()
    else:
        return None
    return sha256, f"artifacts/{sha256[:2]}/{sha256}{suffix}"


def current(address: str) -> str:
    """The address in today's form, if it is one of release 0.1."""
    found = parsed(address)
    return f"{_PREFIX}{found[1].rpartition('/')[2]}" if found else address
