"""Which recogniser settings and machine lead to."""

from pathlib import Path

import pytest

from etbgm_kit.models.folders import RECORD
from etbgm_stt.choice import (
    AUTO,
    Available,
    Model,
    NoRecogniser,
    Wanted,
    WantedDevice,
    choose,
    find_available,
)

MINE = Model("mine", Path("/my/model"))


def models(*names: str) -> tuple[Model, ...]:
    return tuple(Model(name, Path("/models") / name) for name in names)


TINY, SMALL, LARGE, TURBO = models(
    "whisper-tiny", "openai-whisper-small", "whisper-large-v3", "whisper-large-v3-turbo"
)
(OTHER,) = models("whisper-of-mine")


@pytest.mark.parametrize(
    ("wanted", "device", "model", "available", "chosen", "where"),
    [
        ("auto", "auto", AUTO, Available(None, (), False), None, "cpu"),
        ("auto", "cuda", AUTO, Available(None, (), True), None, "cpu"),
        ("auto", "auto", AUTO, Available(None, (TINY,), False), TINY, "cpu"),
        ("auto", "auto", AUTO, Available(None, (TINY, LARGE, SMALL), False), SMALL, "cpu"),
        ("auto", "auto", AUTO, Available(None, (TINY, SMALL, TURBO, LARGE), True), LARGE, "cuda"),
        ("auto", "auto", AUTO, Available(None, (SMALL, TURBO), True), TURBO, "cuda"),
        ("auto", "cpu", AUTO, Available(None, (SMALL, LARGE), True), SMALL, "cpu"),
        ("auto", "auto", AUTO, Available(None, (OTHER, TINY), False), TINY, "cpu"),
        ("auto", "auto", AUTO, Available(None, (OTHER,), False), OTHER, "cpu"),
        ("auto", "auto", "/my/model", Available(MINE, (SMALL,), False), MINE, "cpu"),
        ("auto", "auto", "/my/model", Available(None, (SMALL,), False), None, "cpu"),
        ("pocketsphinx", "cuda", AUTO, Available(None, (LARGE,), True), None, "cpu"),
        ("faster-whisper", "auto", AUTO, Available(None, (TINY,), False), TINY, "cpu"),
        ("faster-whisper", "cuda", "/my/model", Available(MINE, (), True), MINE, "cuda"),
    ],
)
def test_choice(
    wanted: Wanted, device: WantedDevice, model: str, available: Available, chosen: Model | None, where: str
) -> None:
    choice = choose(wanted, device, model, available)
    assert choice.engine == ("faster-whisper" if chosen else "pocketsphinx")
    assert (choice.model, choice.device) == (chosen, where)
    assert choice.reason
    assert bool(choice.advice) == (wanted == "auto" and chosen is None)


@pytest.mark.parametrize(
    ("wanted", "device", "model", "available", "why"),
    [
        ("faster-whisper", "auto", AUTO, Available(None, (), False), "models pull whisper-small"),
        ("faster-whisper", "auto", AUTO, Available(None, (), True), "models pull whisper-large-v3"),
        ("faster-whisper", "auto", "whisper-base", Available(None, (TINY,), False), "pull whisper-base"),
        (
            "faster-whisper",
            "auto",
            "/my/model",
            Available(None, (), False),
            "Whisper model /my/model was not found",
        ),
        ("faster-whisper", "cuda", AUTO, Available(None, (TINY,), False), "needs a device"),
        ("auto", "cuda", AUTO, Available(None, (TINY,), False), "needs a device"),
    ],
)
def test_what_cannot_be_had_is_said(
    wanted: Wanted, device: WantedDevice, model: str, available: Available, why: str
) -> None:
    with pytest.raises(NoRecogniser, match=why):
        choose(wanted, device, model, available)


def test_advice_says_what_a_better_recogniser_takes() -> None:
    nothing = Available(None, (), cuda=False)
    (advice,) = choose("auto", "auto", AUTO, nothing).advice
    assert "`etbgm models pull whisper-small`" in advice
    (advice,) = choose("auto", "auto", "/my/model", nothing).advice
    assert "names /my/model, which was not found" in advice


def test_only_models_that_were_fetched_to_the_end_are_found(tmp_path: Path) -> None:
    for name in ("whisper-tiny", "whisper-base"):
        (tmp_path / name).mkdir()
    (tmp_path / "whisper-base" / RECORD).write_text("{}")
    found = find_available(tmp_path, AUTO)
    assert found.installed == (Model("whisper-base", tmp_path / "whisper-base"),)
    assert found.named is None
    assert find_available(tmp_path, str(tmp_path / "whisper-tiny")).named == Model(
        "whisper-tiny", tmp_path / "whisper-tiny"
    )
