"""Language tags: BCP-47, which the services exchange, and ISO 639, which media files contain."""

from collections.abc import Iterable
from functools import lru_cache

from langcodes import Language, tag_distance

ENGLISH = "en"

UNDETERMINED = "und"
"""The tag of an unknown language."""

_NO_LANGUAGE = frozenset({UNDETERMINED, "mis", "mul", "zxx", ""})
"""ISO 639 codes for uncoded, several and no languages; no code."""

_SAME = 1
"""Largest distance, after CLDR, of tags for one language: 0 from "cmn" to "zh", 1 from "nb" to "no"."""


@lru_cache
def bcp47(tag: str) -> str:
    """Returns the BCP-47 tag for `tag`: "es" for "spa", "pt-BR" for "pt_br".

    Returns UNDETERMINED if `tag` is empty, malformed or not the name of one language.
    """
    try:
        language = Language.get(tag)
    except ValueError:
        return UNDETERMINED
    code = language.language or ""
    is_private = len(code) > 3 or "qaa" <= code <= "qtz"
    is_known = language.is_valid() and not is_private and code not in _NO_LANGUAGE
    return language.to_tag() if is_known else UNDETERMINED


def primary(tag: str) -> str:
    """Returns the language without script and region: "pt" for "pt-BR" and "por"."""
    return bcp47(tag).partition("-")[0]


def is_readable(tag: str, languages: Iterable[str]) -> bool:
    """Whether a reader of `languages` (tags; empty: any) understands `tag`; every reader knows English."""
    known = {primary(one) for one in languages}
    return not known or any(tag_distance(primary(tag), one) <= _SAME for one in {ENGLISH, *known})
