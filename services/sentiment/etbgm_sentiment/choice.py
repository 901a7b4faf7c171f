"""Chooses the classifier from the settings and the installed models."""

from dataclasses import dataclass, field
from pathlib import Path

from etbgm_kit.models.cuda import Device, WantedDevice
from etbgm_kit.models.folders import locate
from etbgm_kit.models.onnx import NoCuda, cuda_available
from etbgm_sentiment.onnx_classifier import MODEL_FOLDER

BUILT_IN = "built-in"
"""Value of `classifier_model` that selects the classifier in this package."""


class NoClassifier(RuntimeError):
    """The model that the settings require is missing."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"the classifier {model} was found neither as a folder nor as an installed model; "
            f"get it with `etbgm models pull {model}` or `etbgm-sentiment export`"
        )


@dataclass(frozen=True)
class Available:
    """What is available: the folder of `classifier_model` (None if missing) and CUDA for onnxruntime."""

    folder: Path | None
    cuda: bool


@dataclass(frozen=True)
class Choice:
    """The classifier to load, its device, the reason, and advice on better options."""

    folder: Path
    device: Device
    reason: str = field(default="", compare=False)
    advice: tuple[str, ...] = ()


def find_available(models_dir: Path, model: str) -> Available:
    """Looks for the folder of `model` (a path or an installed model's name) and CUDA."""
    folder = MODEL_FOLDER if model == BUILT_IN else locate(models_dir, model)
    return Available(folder, cuda_available())


def choose(device: WantedDevice, model: str, available: Available) -> Choice:
    """Returns the classifier for the settings `device` and `classifier_model`.

    The one in this package always runs on the CPU, because it is too small to benefit from another device.

    Raises:
        NoClassifier: the model is missing.
        NoCuda: CUDA is required for the model, but onnxruntime does not support it.
    """
    if model == BUILT_IN:
        return Choice(MODEL_FOLDER, "cpu", "it is the default")
    if available.folder is None:
        raise NoClassifier(model)
    if device == "cuda" and not available.cuda:
        raise NoCuda
    cuda = available.cuda and device != "cpu"
    return Choice(available.folder, "cuda" if cuda else "cpu", "ETBGM_CLASSIFIER_MODEL names it")
