"""Chooses the recogniser from the settings and the installed models."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from etbgm_kit.models import cuda
from etbgm_kit.models.catalogue import entries
from etbgm_kit.models.cuda import Device, WantedDevice
from etbgm_kit.models.folders import installed, locate

AUTO = "auto"
"""Value of `whisper_model` that selects the best installed model."""

BEST_FIRST: dict[Device, tuple[str, ...]] = {
    "cuda": ("large-v3", "large-v2", "large-v3-turbo", "medium", "small", "base", "tiny"),
    "cpu": ("small", "base", "medium", "tiny", "large-v3-turbo", "large-v2", "large-v3"),
}
"""Preferred models, by the end of their names. On CUDA, the most accurate come first; on the CPU, the most
accurate that is several times faster than speech. Turbo was not trained to translate, so it comes late."""

DEFAULT = "whisper-base"
"""The model of a first run."""

BETTER: dict[Device, str] = {"cuda": "whisper-large-v3", "cpu": "whisper-small"}
"""Models that the user is advised to pull."""


class NoRecogniser(RuntimeError):
    """No recogniser can run with these settings; the message names what is missing."""


@dataclass(frozen=True)
class Model:
    """A Whisper model, named as in the catalogue or as its folder."""

    name: str
    folder: Path


@dataclass(frozen=True)
class Available:
    """What is available: `named` is the model of `whisper_model`, `installed` all catalogue models."""

    named: Model | None
    installed: tuple[Model, ...]
    cuda: bool


@dataclass(frozen=True)
class Choice:
    """The model, its device, the reason, and advice on better options."""

    model: Model
    device: Device
    reason: str = field(default="", compare=False)
    advice: tuple[str, ...] = ()


def find_available(models_dir: Path, model: str) -> Available:
    """Looks for Whisper models, and for a CUDA device that CTranslate2 can use."""
    names = [entry.name for entry in entries() if entry.engine == "faster-whisper"]
    folders = [(name, installed(models_dir, name)) for name in names]
    named = locate(models_dir, model) if model != AUTO else None
    return Available(
        Model(named.resolve().name, named) if named else None,
        tuple(Model(name, folder) for name, folder in folders if folder),
        _cuda_available(),
    )


def _cuda_available() -> bool:
    """CTranslate2 includes all of CUDA except cuBLAS, whose absence shows only when it computes."""
    import ctranslate2

    return ctranslate2.get_cuda_device_count() > 0 and cuda.load("libcublas.so.12", "nvidia-cublas-cu12")


def choose(device: WantedDevice, model: str, available: Available) -> Choice:
    """Returns the model and device for the settings `device` and `whisper_model`.

    AUTO follows the order of BEST_FIRST; models that are not listed there come last.

    Raises:
        NoRecogniser: the model or the device is missing.
    """
    where: Device = "cuda" if available.cuda and device != "cpu" else "cpu"
    found = _best(available.installed, where) if model == AUTO else available.named
    if found is None:
        pull = DEFAULT if model == AUTO or "/" in model else model
        raise NoRecogniser(
            f"{_missing(model)}; get one with `etbgm models pull {pull}` or `python -m etbgm_stt.convert`"
        )
    if device == "cuda" and not available.cuda:
        raise NoRecogniser(
            "faster-whisper cannot use CUDA here: it needs a device and the packages of etbgm-stt[cuda]"
        )
    if model != AUTO:
        return Choice(found, where, "ETBGM_WHISPER_MODEL names it")
    best = f"{found.name} is the preferred installed Whisper model for this device"
    return Choice(found, where, best, _advice(found, where))


def _best(models: Iterable[Model], device: Device) -> Model | None:
    return min(models, key=lambda model: _place(model, device), default=None)


def _place(model: Model, device: Device) -> int:
    order, size = BEST_FIRST[device], _size(model.name)
    return order.index(size) if size in order else len(order)


def _size(name: str) -> str:
    return name.rpartition("whisper-")[2]


def _missing(model: str) -> str:
    return "no Whisper model is installed" if model == AUTO else f"the Whisper model {model} was not found"


def _advice(found: Model, device: Device) -> tuple[str, ...]:
    better = BETTER[device]
    if _place(found, device) <= BEST_FIRST[device].index(_size(better)):
        return ()
    return (f"{better} makes fewer errors than {found.name}: `etbgm models pull {better}`.",)
