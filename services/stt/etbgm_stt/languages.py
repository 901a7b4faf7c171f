"""Converts between BCP-47 tags and Whisper's own language codes."""

from etbgm_kit.languages import primary

_CODES = {"jv": "jw", "nb": "no", "fil": "tl", "cmn": "zh"}
"""Languages for which Whisper uses another code."""

_TAGS = {"jw": "jv"}
"""Whisper's codes that are not the BCP-47 tag of their language."""


def code_of(tag: str) -> str:
    """Returns Whisper's code for a tag such as "pt-BR"; Whisper may not support that language."""
    language = primary(tag)
    return _CODES.get(language, language)


def tag_of(code: str) -> str:
    """Returns the tag for Whisper's code."""
    return _TAGS.get(code, code)
