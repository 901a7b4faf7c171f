"""Language tags as files and people write them."""

import pytest

from etbgm_kit.languages import bcp47, is_readable, primary


@pytest.mark.parametrize(
    ("tag", "standard"),
    [
        ("spa", "es"), ("fre", "fr"), ("fra", "fr"), ("ger", "de"), ("chi", "zh"), ("iw", "he"),
        ("pt_br", "pt-BR"), ("yue", "yue"), ("", "und"), ("und", "und"), ("mul", "und"), ("zxx", "und"),
        ("qaa", "und"), ("Spanish", "und"), ("x-foo", "und"),
    ],
)  # fmt: skip
def test_tags_of_files_become_bcp_47(tag: str, standard: str) -> None:
    assert bcp47(tag) == standard


def test_a_language_has_neither_script_nor_region() -> None:
    assert [primary(tag) for tag in ("zh-Hant-TW", "pt-BR", "eng")] == ["zh", "pt", "en"]


@pytest.mark.parametrize(
    ("tag", "languages", "read"),
    [
        ("de", [], True),
        ("de", ["en"], False),
        ("de", ["en", "de-AT"], True),
        ("ger", ["de"], True),
        ("en-GB", ["de"], True),
        ("cmn", ["zh"], True),
        ("yue", ["zh"], False),
        ("nb", ["no"], True),
        ("da", ["no"], False),
        ("und", ["en"], False),
    ],
)
def test_readers_know_their_languages_and_english(tag: str, languages: list[str], read: bool) -> None:
    assert is_readable(tag, languages) == read
