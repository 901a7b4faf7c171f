"""Words for diffusion: which emotion, style and wish gives which; files that cannot be used."""

from importlib.resources import files
from pathlib import Path

import pytest

from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.hints import FAMILIES, STYLES, StyleRequest
from etbgm_riffusion.diffusion.prompts import LONGEST, load
from etbgm_riffusion.diffusion.types import PromptSpan
from etbgm_riffusion.tables import BrokenTable

OWN = "\n".join(
    f'[emotions.{emotion}]\nprompt = "{emotion} words"\nnegative = "no {emotion}"' for emotion in Emotion
)


def written(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_table_knows_every_style_and_instrument() -> None:
    prompts = load(None)
    assert set(prompts.styles) == set(STYLES)
    assert set(prompts.instruments) == set(FAMILIES)
    told = {prompts.prompt(emotion, style, StyleRequest())[0] for emotion in Emotion for style in STYLES}
    assert len(told) == 7 * len(STYLES)


def test_a_prompt_names_style_instruments_and_emotion(tmp_path: Path) -> None:
    table = f"""
        {OWN}
        [everywhere]
        prompt = "clear"
        negative = "voices"
        [styles]
        jazz = "a trio"
        [instruments]
        "electric piano" = "rhodes"
        [no_drums]
        negative = "drums"
    """
    prompts = load(written(tmp_path, table))
    wish = StyleRequest(programmes=("electric piano", "flute"), drums=False)
    assert prompts.prompt(Emotion.JOY, "jazz", wish) == (
        "a trio, rhodes, joy words, clear",
        "drums, no joy, voices",
    )
    assert prompts.prompt(Emotion.FEAR, "pop", StyleRequest()) == ("fear words, clear", "no fear, voices")


def test_prompts_follow_the_emotions(tmp_path: Path) -> None:
    prompts = load(written(tmp_path, OWN))
    emotions = [
        (Span(0, 2), Emotion.JOY),
        (Span(2, 2.004), Emotion.ANGER),
        (Span(2.004, 7), Emotion.FEAR),
        (Span(7, 9), Emotion.JOY),
    ]
    joy, fear = ("joy words", "no joy"), ("fear words", "no fear")
    assert prompts.spans(emotions, "pop", StyleRequest(), 100, 700) == (
        PromptSpan(0, 100, *joy),
        PromptSpan(100, 600, *fear),
        PromptSpan(600, 700, *joy),
    )
    assert prompts.spans(emotions, "pop", StyleRequest(), 300, 128) == (PromptSpan(0, 128, *fear),)
    assert prompts.spans(emotions, "pop", StyleRequest(), 800, 512) == (PromptSpan(0, 512, *joy),)


def test_the_revision_changes_with_a_word(tmp_path: Path) -> None:
    packaged = files("etbgm_riffusion.diffusion").joinpath("prompts.toml").read_text(encoding="utf-8")
    assert load(written(tmp_path, packaged)).revision == load(None).revision
    assert load(written(tmp_path, packaged.replace('"bells"', '"gongs"'))).revision != load(None).revision


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("[emotions.joy", "TOML"),
        ("", "emotions: Field required"),
        ('[emotions.joy]\nprompt = "glad"', "emotions: .*missing or unknown: anger, disgust, fear"),
        (f'{OWN}\n[emotions.boredom]\nprompt = "grey"', "emotions: .*unknown: boredom"),
        (OWN.replace('"joy words"', '""'), "emotions.joy.prompt: "),
        (OWN.replace('"joy words"', f'"{"la" * LONGEST}"'), "emotions.joy.prompt: "),
        (OWN.replace('"joy words"', "7"), "emotions.joy.prompt: "),
        (f'{OWN}\n[styles]\npolka = "umpa"', "styles: .*not polka"),
        (f'{OWN}\n[instruments]\ntuba = "umpa"', "instruments: .*not tuba"),
        (f'{OWN}\n[drums]\nnegative = "umpa"', "drums: "),
    ],
)
def test_a_table_that_cannot_be_used_names_the_entry_and_quotes_nothing(
    tmp_path: Path, text: str, entry: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BrokenTable, match=entry) as refused:
        load(path)
    assert str(path) in str(refused.value)
    assert not any(word in str(refused.value) for word in ("glad", "grey", "lala", "umpa"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokenTable, match=r"none\.toml"):
        load(tmp_path / "none.toml")
