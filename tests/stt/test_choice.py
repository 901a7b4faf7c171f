"""Which recogniser settings and machine lead to."""

from pathlib import Path

import pytest

from etbgm_kit.models.folders import RECORD
from etbgm_stt.choice import (
    AUTO,
    Available,
    Model,
    NoRecogniser,
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
    ("device", "model", "available", "chosen", "where"),
    [
        ("auto", AUTO, Available(None, (TINY,), False), TINY, "cpu"),
        ("auto", AUTO, Available(None, (TINY, LARGE, SMALL), False), SMALL, "cpu"),
        ("auto", AUTO, Available(None, (TINY, SMALL, TURBO, LARGE), True), LARGE, "cuda"),
        ("auto", AUTO, Available(None, (SMALL, TURBO), True), TURBO, "cuda"),
        ("cpu", AUTO, Available(None, (SMALL, LARGE), True), SMALL, "cpu"),
        ("auto", AUTO, Available(None, (OTHER, TINY), False), TINY, "cpu"),
        ("auto", AUTO, Available(None, (OTHER,), False), OTHER, "cpu"),
        ("auto", "/my/model", Available(MINE, (SMALL,), False), MINE, "cpu"),
        ("cuda", "/my/model", Available(MINE, (), True), MINE, "cuda"),
    ],
)
def test_choice(device: WantedDevice, model: str, available: Available, chosen: Model, where: str) -> None:
    choice = choose(device, model, available)
    assert (choice.model, choice.device) == (chosen, where)
    assert choice.reason


@pytest.mark.parametrize(
    ("device", "model", "available", "why"),
    [
        ("auto", AUTO, Available(None, (), False), "models pull whisper-base"),
        ("auto", "whisper-small", Available(None, (TINY,), False), "pull whisper-small"),
        ("auto", "/my/model", Available(None, (), False), "Whisper model /my/model was not found"),
        ("cuda", AUTO, Available(None, (TINY,), False), "needs a device"),
    ],
)
def test_what_cannot_be_had_is_said(device: WantedDevice, model: str, available: Available, why: str) -> None:
    with pytest.raises(NoRecogniser, match=why):
        choose(device, model, available)


def test_advice_names_a_better_model() -> None:
    (advice,) = choose("auto", AUTO, Available(None, (TINY,), cuda=False)).advice
    assert "`etbgm models pull whisper-small`" in advice
    (advice,) = choose("auto", AUTO, Available(None, (TINY,), cuda=True)).advice
    assert "`etbgm models pull whisper-large-v3`" in advice
    assert not choose("auto", AUTO, Available(None, (SMALL,), cuda=False)).advice
    assert not choose("auto", "/my/model", Available(MINE, (), cuda=False)).advice


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
