"""Hints: which words mean what, and that unknown ones are named."""

import pytest

from etbgm_riffusion.composer.hints import FAMILIES, LONGEST, STYLES, StyleRequest, read


@pytest.mark.parametrize("text", ["", "auto", "some music", "  Please, with the… "])
def test_no_wish(text: str) -> None:
    assert read(text) == StyleRequest()


@pytest.mark.parametrize("style", STYLES)
def test_a_style_by_its_name(style: str) -> None:
    assert read(style) == StyleRequest(style=style)


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("lo-fi", "lofi"),
        ("Lo-Fi Hip-Hop beats", "lofi"),
        ("jazz trio", "jazz"),
        ("film music", "cinematic"),
        ("epic", "cinematic"),
        ("epic orchestral", "orchestral"),
        ("orchestral, epic", "orchestral"),
        ("synth", "electronic"),
        ("ambient with synths", "ambient"),
        ("FOLK", "acoustic"),
        ("classical", "orchestral"),
        ("chill", "lofi"),
        ("acoustic pop", "pop"),
        ("calm piano", "auto"),
    ],
)
def test_words_for_styles(text: str, style: str) -> None:
    assert read(text).style == style


@pytest.mark.parametrize(
    ("text", "arousal"),
    [
        ("calm", -0.6),
        ("very calm", -0.9),
        ("slightly upbeat", 0.2),
        ("laid-back", -0.4),
        ("very powerful", 1.0),
        ("calm driving", 0.0),
        ("soft, gentle and slow", -0.467),
    ],
)
def test_moods_move_arousal(text: str, arousal: float) -> None:
    assert read(text) == StyleRequest(arousal=arousal)


@pytest.mark.parametrize(
    ("text", "programmes"),
    [
        ("piano and strings", ("piano", "strings")),
        ("strings, piano, pianos", ("strings", "piano")),
        ("electric piano", ("electric piano",)),
        ("music-box", ("bells",)),
        ("church organ", ("organ",)),
    ],
)
def test_instruments_in_the_order_asked_for(text: str, programmes: tuple[str, ...]) -> None:
    assert read(text).programmes == programmes
    assert set(programmes) <= set(FAMILIES)


@pytest.mark.parametrize(
    ("text", "drums"),
    [("no drums", False), ("pop without percussion", False), ("beatless", False), ("with drums", True)],
)
def test_drums(text: str, drums: bool) -> None:
    assert read(text).drums is drums


def test_everything_at_once() -> None:
    assert read("Very calm jazz, with piano; no drums!") == StyleRequest("jazz", -0.9, ("piano",), False)


def test_case_punctuation_and_hyphens_do_not_matter() -> None:
    assert read("LO-FI: Calm_Piano") == read("lo fi calm piano")


def test_unknown_words_are_named_once_beside_known_ones() -> None:
    with pytest.raises(ValueError, match=r'does not know "zydeco", "no"; .*cinematic.*calm.*piano'):
        read("zydeco with no strings, zydeco")


def test_a_style_that_the_engine_lacks_is_unknown() -> None:
    with pytest.raises(ValueError, match=r'does not know "jazz"; a style is one of auto, ambient, waltz,'):
        read("jazz", ("waltz", "ambient"))
    assert read("a calm waltz", ("waltz", "ambient")) == StyleRequest("waltz", -0.6)
    assert read("epic", ("ambient",)) == StyleRequest("auto", 0.6)


def test_a_novel_is_refused() -> None:
    with pytest.raises(ValueError, match=f"at most {LONGEST} characters"):
        read("calm " * 100)
