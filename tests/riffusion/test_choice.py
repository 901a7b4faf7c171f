"""Which engine plays: a table of what is wanted and what is there."""

from pathlib import Path

import pytest

from etbgm_kit.models.folders import RECORD
from etbgm_riffusion.choice import (
    Available,
    Choice,
    NoRiffusion,
    Wanted,
    WantedDevice,
    choose,
    find_available,
)

MODEL = "riffusion-model-v1"
FOLDER = Path("/models/riffusion-model-v1")

COMPOSER = Choice("composer")
SLOW = "Riffusion runs on the CPU; a CUDA device is many times faster."
ON_CUDA = Choice("riffusion", FOLDER, "cuda")
ON_CPU = Choice("riffusion", FOLDER, "cpu", advice=(SLOW,))
PACKAGES = "packages (`pip install 'etbgm-riffusion[diffusion]'`)"
WEIGHTS = "weights (`etbgm models pull riffusion-model-v1`)"
CUDA = "a CUDA device with a matching torch build"


def composer(needs: str) -> Choice:
    return Choice(
        "composer", advice=(f"Riffusion would add texture to the composed music; it needs {needs}.",)
    )


@pytest.mark.parametrize(
    ("wanted", "device", "available", "choice"),
    [
        ("auto", "auto", Available(True, FOLDER, True), ON_CUDA),
        ("auto", "cuda", Available(True, FOLDER, True), ON_CUDA),
        ("auto", "auto", Available(True, FOLDER, False), composer(CUDA)),
        ("auto", "cpu", Available(True, FOLDER, True), composer(CUDA)),
        ("auto", "auto", Available(True, None, True), composer(WEIGHTS)),
        ("auto", "auto", Available(False, FOLDER, True), composer(PACKAGES)),
        ("auto", "auto", Available(False, None, True), composer(f"{PACKAGES} and {WEIGHTS}")),
        ("auto", "auto", Available(False, None, False), composer(f"{PACKAGES}, {WEIGHTS} and {CUDA}")),
        ("composer", "auto", Available(True, FOLDER, True), COMPOSER),
        ("composer", "cuda", Available(False, None, False), COMPOSER),
        ("riffusion", "auto", Available(True, FOLDER, True), ON_CUDA),
        ("riffusion", "cuda", Available(True, FOLDER, True), ON_CUDA),
        ("riffusion", "cpu", Available(True, FOLDER, True), ON_CPU),
        ("riffusion", "auto", Available(True, FOLDER, False), ON_CPU),
    ],
)
def test_the_best_engine_that_can_run_is_chosen(
    wanted: Wanted, device: WantedDevice, available: Available, choice: Choice
) -> None:
    chosen = choose(wanted, device, MODEL, available)
    assert chosen == choice
    assert chosen.reason


@pytest.mark.parametrize(
    ("device", "available", "needs"),
    [
        ("auto", Available(False, FOLDER, True), PACKAGES),
        ("auto", Available(True, None, True), WEIGHTS),
        ("cuda", Available(True, FOLDER, False), CUDA),
        ("cuda", Available(False, None, False), f"{PACKAGES}, {WEIGHTS} and {CUDA}"),
    ],
)
def test_a_named_engine_that_cannot_run_says_what_is_missing(
    device: WantedDevice, available: Available, needs: str
) -> None:
    with pytest.raises(NoRiffusion) as refused:
        choose("riffusion", device, MODEL, available)
    assert str(refused.value) == f"the engine riffusion cannot run here: it needs {needs}"


def test_a_model_of_the_hub_is_fetched_for_those_who_name_the_engine() -> None:
    nothing = Available(True, None, True)
    assert choose("riffusion", "auto", "owner/model", nothing) == Choice("riffusion", "owner/model", "cuda")
    assert choose("auto", "auto", "owner/model", nothing) == composer(
        "the model owner/model, which was not found"
    )


@pytest.mark.parametrize("model", ["/models/mine", "./mine", "~/mine", "models/mine/v1"])
def test_a_folder_that_is_missing_is_not_looked_for_on_the_hub(model: str) -> None:
    with pytest.raises(NoRiffusion, match=f"the model {model}, which was not found"):
        choose("riffusion", "auto", model, Available(True, None, True))


def test_models_are_found_by_name_once_they_are_whole(tmp_path: Path) -> None:
    folder = tmp_path / MODEL
    folder.mkdir()
    assert find_available(tmp_path, MODEL).folder is None
    (folder / RECORD).write_text("{}")
    assert find_available(tmp_path, MODEL).folder == folder
    assert find_available(tmp_path / "elsewhere", str(folder)).folder == folder
