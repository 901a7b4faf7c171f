"""Chooses the recogniser from the settings and the installed models."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from etbgm_kit.models import cuda
from etbgm_kit.models.catalogue import entries
from etbgm_kit.models.cuda import Device, WantedDevice
from etbgm_kit.models.folders import installed, locate

Engine = Literal["pocketsphinx", "faster-whisper"]
Wanted = Literal["auto", "pocketsphinx", "faster-whisper"]

AUTO = "auto"
"""Value of `whisper_model` that selects the best installed model."""

BEST_FIRST: dict[Device, tuple[str, ...]] = {
    "cuda": ("large-v3", "large-v2", "large-v3-turbo", "medium", "small", "base", "tiny"),
    "cpu": ("small", "base", "medium", "tiny", "large-v3-turbo", "large-v2", "large-v3"),
}
"""Preferred models, by the end of their names. On CUDA, the most accurate come first; on the CPU, the most
accurate at about the cost of pocketsphinx (README). Turbo was not trained to translate, so it comes late."""

SUGGESTED: dict[Device, str] = {"cuda": "whisper-large-v3", "cpu": "whisper-small"}
"""Models that the user is advised to pull."""


class NoRecogniser(RuntimeError):
    """The engine that the settings require cannot run; the message names what is missing."""


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
    """The engine, its model if it needs one, its device, the reason, and advice on better options."""

    engine: Engine
    model: Model | None
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


def choose(wanted: Wanted, device: WantedDevice, model: str, available: Available) -> Choice:
    """Returns the recogniser for the settings `stt_engine`, `device` and `whisper_model`.

    pocketsphinx always runs on the CPU, regardless of `device`. `auto` follows the order of
    BEST_FIRST; models that are not listed there come last.

    Raises:
        NoRecogniser: the model or the device that faster-whisper needs is missing.
    """
    where: Device = "cuda" if available.cuda and device != "cpu" else "cpu"
    if wanted == "pocketsphinx":
        return Choice("pocketsphinx", None, "cpu", "ETBGM_STT_ENGINE names it")
    found = _best(available.installed, where) if model == AUTO else available.named
    suggested = SUGGESTED[where]
    if found is None and wanted == "faster-whisper":
        pull = suggested if model == AUTO or "/" in model else model
        raise NoRecogniser(
            f"{_missing(model)}; get one with `etbgm models pull {pull}` or `python -m etbgm_stt.convert`"
        )
    if found is None:
        return Choice("pocketsphinx", None, "cpu", _missing(model), (_advice(model, suggested),))
    if device == "cuda" and not available.cuda:
        raise NoRecogniser(
            "faster-whisper cannot use CUDA here: it needs a device and the packages of etbgm-stt[cuda]"
        )
    best = f"{found.name} is the preferred installed Whisper model for this device"
    return Choice("faster-whisper", found, where, best if model == AUTO else "ETBGM_WHISPER_MODEL names it")


def _best(models: Iterable[Model], device: Device) -> Model | None:
    order = BEST_FIRST[device]

    def place(model: Model) -> int:
        size = model.name.rpartition("whisper-")[2]
        return order.index(size) if size in order else len(order)

    return min(models, key=place, default=None)


def _missing(model: str) -> str:
    return "no Whisper model is installed" if model == AUTO else f"the Whisper model {model} was not found"


def _advice(model: str, suggested: str) -> str:
    if model != AUTO:
        return f"ETBGM_WHISPER_MODEL names {model}, which was not found; pocketsphinx knows English only."
    return (
        "pocketsphinx knows English only; Whisper makes fewer errors and knows 99 languages: "
        f"`etbgm models pull {suggested}`."
    )
