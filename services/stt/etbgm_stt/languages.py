"""Converts between BCP-47 tags and Whisper's own language codes."""

from collections.abc import Iterable

from etbgm_stt.types import ENGLISH

_CODES = {"jv": "jw", "nb": "no", "fil": "tl", "cmn": "zh", "iw": "he", "eng": "en"}
"""Primary subtags for which Whisper uses another code."""

_TAGS = {"jw": "jv"}
"""Whisper's codes that are not the BCP-47 tag of their language."""


def code_of(tag: str) -> str:
    """Returns Whisper's code for a tag such as "pt-BR"; Whisper may not support that language."""
    primary = tag.lower().split("-")[0]
    return _CODES.get(primary, primary)


def tag_of(code: str) -> str:
    """Returns the tag for Whisper's code."""
    return _TAGS.get(code, code)


def is_readable(tag: str, readable: Iterable[str]) -> bool:
    """Whether a reader of the languages `readable` (tags; empty: any) understands `tag`; all know English."""
    codes = {code_of(one) for one in readable}
    return not codes or code_of(tag) in {ENGLISH, *codes}
