"""Which classifier is used: of settings and of what is there."""

from dataclasses import dataclass
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
            f"there is no classifier {model}: neither a folder of that name nor an installed model; "
            f"`etbgm models pull {model}` or `etbgm-sentiment export` makes one"
        )


@dataclass(frozen=True)
class Available:
    """What is there: the folder of `classifier_model`, if any, and CUDA for onnxruntime."""

    folder: Path | None
    cuda: bool


@dataclass(frozen=True)
class Choice:
    """The classifier to load and where it computes; `notes` tell the user what would be better."""

    engine: Engine
    folder: Path
    device: Device
    notes: tuple[str, ...] = ()


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
    if wanted == "minilm" or (wanted == "auto" and available.folder is None):
        return Choice("minilm", MODEL_FOLDER, "cpu", (_note(model),) if wanted == "auto" else ())
    if available.folder is None:
        raise NoClassifier(model)
    if device == "cuda" and not available.cuda:
        raise NoCuda
    cuda = available.cuda and device != "cpu"
    return Choice("transformers", available.folder, "cuda" if cuda else "cpu")


def _note(model: str) -> str:
    better = f"{model}, which the settings name, is not there"
    if "/" not in model:
        better = f"`etbgm models pull {model}` gives a larger one"
    return f"Emotions were read by the small classifier MiniLM; {better}."
