"""Text from outside, such as file names and error messages, made safe to print on a terminal."""

import unicodedata
from typing import Any

from rich.console import Console
from rich.text import Text

_ESCAPED_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}
"""Control characters, bytes of file names that are not UTF-8, and line and paragraph separators."""

_ESCAPED_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
"""Characters that change the writing direction and can make a name look like another one."""

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_UNDECODED = range(0xDC80, 0xDD00)
"""Python's stand-ins for the bytes 0x80 to 0xFF in file names that are not UTF-8 (PEP 383)."""


def printable(text: str) -> str:
    r"""Returns `text` with control characters as escapes such as `\n` and `\x1b`; the rest is unchanged."""
    return "".join(_escaped(character) if _needs_escape(character) else character for character in text)


def labelled(label: str, style: str, text: str) -> Text:
    """Returns `label` in `style`, followed by `text` as it is, without markup and control characters."""
    return Text.assemble((label, style), printable(text))


class PlainConsole(Console):
    """A console that prints strings literally: no markup, no emoji codes, no control characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, soft_wrap=True, **options)

    def print(self, *objects: Any, **options: Any) -> None:
        """Prints like rich's Console, with the control characters of strings escaped."""
        super().print(*(printable(each) if isinstance(each, str) else each for each in objects), **options)


def _needs_escape(character: str) -> bool:
    return (
        unicodedata.category(character) in _ESCAPED_CATEGORIES
        or unicodedata.bidirectional(character) in _ESCAPED_DIRECTIONS
    )


def _escaped(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code in _UNDECODED:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
