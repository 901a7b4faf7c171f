"""Which classifier settings and machine lead to."""

from pathlib import Path

import pytest

from etbgm_kit.models.folders import RECORD
from etbgm_kit.models.onnx import NoCuda
from etbgm_sentiment.choice import BUILT_IN, Available, NoClassifier, WantedDevice, choose, find_available
from etbgm_sentiment.onnx_classifier import MODEL_FOLDER

THERE = Path("/models/large")


@pytest.mark.parametrize(
    ("device", "model", "cuda", "folder", "where"),
    [
        ("auto", BUILT_IN, False, MODEL_FOLDER, "cpu"),
        ("auto", BUILT_IN, True, MODEL_FOLDER, "cpu"),
        ("cuda", BUILT_IN, False, MODEL_FOLDER, "cpu"),
        ("auto", "large", False, THERE, "cpu"),
        ("auto", "large", True, THERE, "cuda"),
        ("cpu", "large", True, THERE, "cpu"),
        ("cuda", "large", True, THERE, "cuda"),
    ],
)
def test_choice(device: WantedDevice, model: str, cuda: bool, folder: Path, where: str) -> None:
    choice = choose(device, model, Available(THERE, cuda))
    assert (choice.folder, choice.device) == (folder, where)
    assert choice.reason


@pytest.mark.parametrize(
    ("device", "folder", "error", "why"),
    [
        ("auto", None, NoClassifier, "etbgm models pull large"),
        ("cuda", THERE, NoCuda, "onnxruntime-gpu"),
    ],
)
def test_what_cannot_be_had_is_said(
    device: WantedDevice, folder: Path | None, error: type[RuntimeError], why: str
) -> None:
    with pytest.raises(error, match=why):
        choose(device, "large", Available(folder, cuda=False))


def test_models_are_found_when_they_are_whole(tmp_path: Path) -> None:
    assert find_available(tmp_path, "large").folder is None
    (tmp_path / "large").mkdir()
    assert find_available(tmp_path, "large").folder is None, "its download was cut off"
    (tmp_path / "large" / RECORD).write_text("{}")
    assert find_available(tmp_path, "large").folder == tmp_path / "large"
    assert find_available(tmp_path, str(MODEL_FOLDER)).folder == MODEL_FOLDER
