"""Chooses the classifier from the settings and what is installed."""

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
    """The model that the settings ask for is not there."""

    def __init__(self, model: str) -> None:
        super().__init__(
            f"the classifier {model} was found neither as a folder nor as an installed model; "
            f"get it with `etbgm models pull {model}` or `etbgm-sentiment export`"
        )


@dataclass(frozen=True)
class Available:
    """What is there: the folder of `classifier_model`, if any, and CUDA for onnxruntime."""

    folder: Path | None
    cuda: bool


@dataclass(frozen=True)
class Choice:
    """The classifier to load, where it computes, why, and what would be better."""

    engine: Engine
    folder: Path
    device: Device
    reason: str = field(default="", compare=False)
    advice: tuple[str, ...] = ()


def find_available(models_dir: Path, model: str) -> Available:
    """Looks for the folder that `model`, a path or an installed model's name, means, and for CUDA."""
    return Available(locate(models_dir, model), cuda_available())


def choose(wanted: Wanted, device: WantedDevice, model: str, available: Available) -> Choice:
    """The classifier for the settings `sentiment_engine`, `device` and `classifier_model`.

    `auto` takes the model when it is there, else the one in this package, which
    computes on the CPU whatever `device` says: it is too small to gain by another.

    Raises:
        NoClassifier: `transformers` is wanted and the model is not there.
        NoCuda: the model is used, CUDA is wanted for it and onnxruntime has none.
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
