"""Chooses the music engine from the settings and what is installed."""

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from etbgm_kit.models.cuda import Device, WantedDevice, torch_has_device
from etbgm_kit.models.folders import locate
from etbgm_kit.models.requirements import missing

Engine = Literal["composer", "riffusion"]
Wanted = Literal["auto", "composer", "riffusion"]
Precision = Literal["auto", "fp32", "fp16", "bf16"]

PACKAGES = ("torch", "diffusers", "transformers", "peft", "soxr")
"""The packages that the extra `etbgm-riffusion[diffusion]` installs."""

_SLOW = "Riffusion runs on the CPU; a CUDA device is many times faster."
_NAMED = "ETBGM_RIFFUSION_ENGINE names it"


class NoRiffusion(RuntimeError):
    """Raised if the engine riffusion is requested but cannot run; the message names what is missing."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"the engine riffusion cannot run here: it needs {missing}")


@dataclass(frozen=True)
class Available:
    """What is available: all PACKAGES, the folder of `riffusion_model` if there is one, and CUDA in torch."""

    packages: bool
    folder: Path | None
    cuda: bool


@dataclass(frozen=True)
class Choice:
    """The engine to load, its device, the reason for the choice, and advice on a better setup.

    `model` is a folder, or the id of a model on the Hugging Face hub; None for the composer.
    """

    engine: Engine
    model: Path | str | None = None
    device: Device = "cpu"
    reason: str = field(default="", compare=False)
    advice: tuple[str, ...] = ()


def find_available(models_dir: Path, model: str) -> Available:
    """Looks for the packages, CUDA, and the folder of `model` (a path or an installed model's name)."""
    packages = all(find_spec(name) for name in PACKAGES)
    return Available(packages, locate(models_dir, model), torch_has_device())


def choose(wanted: Wanted, device: WantedDevice, model: str, available: Available) -> Choice:
    """Selects the engine from the settings `riffusion_engine`, `device` and `riffusion_model`.

    `auto` selects Riffusion if its packages, its weights and a CUDA device are available: on a CPU, it is
    slower than real time. Raises NoRiffusion.
    """
    if wanted == "composer":
        return Choice("composer", reason=_NAMED)
    # The model is downloaded from the hub only if the user names the engine explicitly.
    source = available.folder or (model if wanted == "riffusion" and is_hub_id(model) else None)
    cuda = available.cuda and device != "cpu"
    on_cuda = wanted == "auto" or device == "cuda"
    needs = missing(
        extra="etbgm-riffusion[diffusion]",
        packages=available.packages,
        model=model,
        weights=source is not None,
        device=cuda or not on_cuda,
    )
    if not needs:
        reason = "Riffusion's packages, weights and device are present" if wanted == "auto" else _NAMED
        return Choice("riffusion", source, "cuda" if cuda else "cpu", reason, () if cuda else (_SLOW,))
    if wanted == "riffusion":
        raise NoRiffusion(needs)
    advice = f"Riffusion would add texture to the composed music; it needs {needs}."
    return Choice("composer", reason="Riffusion cannot run here", advice=(advice,))


def is_hub_id(model: str) -> bool:
    """Returns whether `model` has the form owner/name."""
    owner, _, name = model.partition("/")
    return bool(owner.strip("~.") and name) and "/" not in name
