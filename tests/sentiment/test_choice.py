"""Which classifier settings and machine lead to."""

from pathlib import Path

import pytest

from etbgm_kit.models.folders import RECORD
from etbgm_kit.models.onnx import NoCuda
from etbgm_sentiment.choice import Available, NoClassifier, Wanted, WantedDevice, choose, find_available
from etbgm_sentiment.onnx_classifier import MODEL_FOLDER

THERE = Path("/models/large")


@pytest.mark.parametrize(
    ("wanted", "device", "folder", "cuda", "engine", "where"),
    [
        ("auto", "auto", None, False, "minilm", "cpu"),
        ("auto", "auto", None, True, "minilm", "cpu"),
        ("auto", "cuda", None, False, "minilm", "cpu"),
        ("auto", "auto", THERE, False, "transformers", "cpu"),
        ("auto", "auto", THERE, True, "transformers", "cuda"),
        ("auto", "cpu", THERE, True, "transformers", "cpu"),
        ("auto", "cuda", THERE, True, "transformers", "cuda"),
        ("minilm", "auto", THERE, True, "minilm", "cpu"),
        ("transformers", "auto", THERE, False, "transformers", "cpu"),
        ("transformers", "cuda", THERE, True, "transformers", "cuda"),
    ],
)
def test_choice(
    wanted: Wanted, device: WantedDevice, folder: Path | None, cuda: bool, engine: str, where: str
) -> None:
    choice = choose(wanted, device, "large", Available(folder, cuda))
    assert (choice.engine, choice.device) == (engine, where)
    assert choice.folder == (THERE if engine == "transformers" else MODEL_FOLDER)
    assert choice.reason
    assert bool(choice.advice) == (wanted == "auto" and engine == "minilm")


@pytest.mark.parametrize(
    ("wanted", "device", "folder", "error", "why"),
    [
        ("transformers", "auto", None, NoClassifier, "etbgm models pull large"),
        ("transformers", "cuda", THERE, NoCuda, "onnxruntime-gpu"),
        ("auto", "cuda", THERE, NoCuda, "onnxruntime-gpu"),
    ],
)
def test_what_cannot_be_had_is_said(
    wanted: Wanted, device: WantedDevice, folder: Path | None, error: type[RuntimeError], why: str
) -> None:
    with pytest.raises(error, match=why):
        choose(wanted, device, "large", Available(folder, cuda=False))


def test_advice_says_what_a_better_classifier_takes() -> None:
    (advice,) = choose("auto", "auto", "large", Available(None, cuda=False)).advice
    assert "`etbgm models pull large`" in advice
    (advice,) = choose("auto", "auto", "/my/model", Available(None, cuda=False)).advice
    assert "names /my/model, which was not found" in advice


def test_models_are_found_when_they_are_whole(tmp_path: Path) -> None:
    assert find_available(tmp_path, "large").folder is None
    (tmp_path / "large").mkdir()
    assert find_available(tmp_path, "large").folder is None, "its download was cut off"
    (tmp_path / "large" / RECORD).write_text("{}")
    assert find_available(tmp_path, "large").folder == tmp_path / "large"
    assert find_available(tmp_path, str(MODEL_FOLDER)).folder == MODEL_FOLDER
