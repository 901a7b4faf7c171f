"""BCP-47 tags and Whisper's own codes of languages."""

from collections.abc import Iterable

_CODES = {"jv": "jw", "nb": "no", "fil": "tl", "cmn": "zh", "iw": "he", "eng": "en"}
"""Primary subtags that Whisper has another code for."""

_TAGS = {"jw": "jv"}
"""Whisper's codes that are no tag, or not that language's."""


def code_of(tag: str) -> str:
    """Whisper's code for the language of a tag such as "pt-BR"; one that Whisper may not know."""
    primary = tag.lower().split("-")[0]
    return _CODES.get(primary, primary)


def tag_of(code: str) -> str:
    """The tag for Whisper's code."""
    return _TAGS.get(code, code)


def must_translate(code: str, readable: Iterable[str]) -> bool:
    """Whether a reader of `readable` (tags; any language when empty) needs speech in `code` in English."""
    codes = {code_of(tag) for tag in readable}
    return bool(codes) and code != "en" and code not in codes
