"""Chooses the classifier from the settings and the installed models."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etbgm_kit.models.cuda import Device, WantedDevice
from etbgm_kit.models.folders import locate
from etbgm_kit.models.onnx import NoCuda, cuda_available
from etbgm_sentiment.onnx_classifier import MODEL_FOLDER

Engine = Literal["minilm", "transformers"]
Wanted = Literal["auto", "minilm", "transformers"]


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

    engine: Engine
    folder: Path
    device: Device
    reason: str = field(default="", compare=False)
    advice: tuple[str, ...] = ()


def find_available(models_dir: Path, model: str) -> Available:
    """Looks for the folder of `model` (a path or an installed model's name) and CUDA."""
    return Available(locate(models_dir, model), cuda_available())


def choose(wanted: Wanted, device: WantedDevice, model: str, available: Available) -> Choice:
    """Returns the classifier for the settings `sentiment_engine`, `device` and `classifier_model`.

    `auto` selects the model if it is available, otherwise the one in this package. That one
    always runs on the CPU, because it is too small to benefit from another device.

    Raises:
        NoClassifier: `transformers` is required, but the model is missing.
        NoCuda: CUDA is required for the model, but onnxruntime does not support it.
    """
    if wanted == "minilm":
        return Choice("minilm", MODEL_FOLDER, "cpu", "ETBGM_SENTIMENT_ENGINE names it")
    if wanted == "auto" and available.folder is None:
        return Choice("minilm", MODEL_FOLDER, "cpu", f"the model {model} was not found", (_advice(model),))
    if available.folder is None:
        raise NoClassifier(model)
    if device == "cuda" and not available.cuda:
        raise NoCuda
    cuda = available.cuda and device != "cpu"
    return Choice("transformers", available.folder, "cuda" if cuda else "cpu", f"{model} is installed")


def _advice(model: str) -> str:
    if "/" in model:
        return f"ETBGM_CLASSIFIER_MODEL names {model}, which was not found."
    return f"A larger emotion classifier can replace the built-in MiniLM: `etbgm models pull {model}`."
