"""Decodes caption files, which state their encoding at most by a byte order mark."""

import codecs
from dataclasses import dataclass

from etbgm_kit.errors import InvalidField
from etbgm_kit.languages import primary

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""UTF-32 comes before UTF-16, whose mark its own begins with."""

_ARROW = "-->"
"""What stands between two times in every SubRip or WebVTT file."""

_CODE_PAGES = {
    "cp1252": "en fr de es it pt nl sv da nb nn no fi is ca gl eu",
    "cp1251": "ru uk bg sr mk be",
    "cp1250": "pl cs sk hu sl hr bs ro sq",
    "cp1253": "el",
    "cp1254": "tr az",
    "cp1255": "he yi",
    "cp1256": "ar fa ur",
    "koi8_r": "",
    "iso8859_2": "",
    "gb18030": "zh cmn",
    "big5": "yue",
    "cp932": "ja",
    "euc_jp": "ja",
    "cp949": "ko",
}
"""Encodings in which captions are found, the likelier ones first, and the languages that use them most."""

_SAMPLE_BYTES = 1 << 16
"""The most that detection reads."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text, and the encoding that was guessed; None if the file shows it."""

    text: str
    guessed: str | None = None


def decode(data: bytes, language: str = "en") -> Decoded:
    """Returns the text of captions: by their byte order mark, as UTF-8, or as they are probably encoded.

    `language`, a tag, decides between encodings that fit equally well. Raises
    InvalidField("captions") if nothing fits.
    """
    stated = _stated(data)
    try:
        return Decoded(data.decode(stated or "utf-8"))
    except UnicodeDecodeError as error:
        if stated:
            raise InvalidField("captions", f"is not {stated}: {error.reason}") from error
    damaged = data.decode("utf-8", errors="replace")
    beyond_ascii = len(damaged) - len(damaged.encode("ascii", errors="ignore"))
    if 2 * damaged.count("\ufffd") < beyond_ascii:
        return Decoded(damaged)
    guessed = _guess(data, language)
    if guessed is None:
        raise InvalidField("captions", "has an unknown encoding; save the file as UTF-8")
    return Decoded(data.decode(guessed, errors="replace"), guessed)


def _stated(data: bytes) -> str | None:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    for encoding in ("utf-16-le", "utf-16-be"):
        # Characters begin at even bytes: the same bytes one further are the other byte order.
        at = data.find(_ARROW.encode(encoding))
        if at >= 0 and at % 2 == 0:
            return encoding
    return None


def _guess(data: bytes, language: str) -> str | None:
    import charset_normalizer

    # Times and numbers would outweigh the words.
    sample = b"\n".join(line for line in data.splitlines() if not line.isascii())[:_SAMPLE_BYTES]
    matches = charset_normalizer.from_bytes(sample, cp_isolation=list(_CODE_PAGES))
    spoken = primary(language)
    order = sorted(_CODE_PAGES, key=lambda page: spoken not in _CODE_PAGES[page].split())
    best = min(matches, key=lambda m: (m.chaos, -m.coherence, order.index(m.encoding)), default=None)
    return best.encoding if best else None
