"""Which music engine is used: of settings and of what is there."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from etbgm_kit.models.cuda import Device, WantedDevice, torch_has_device
from etbgm_kit.models.folders import locate
from etbgm_kit.models.requirements import missing

Engine = Literal["composer", "riffusion"]
Wanted = Literal["auto", "composer", "riffusion"]

PACKAGES = ("torch", "diffusers", "transformers", "peft", "soxr")
"""What `etbgm-riffusion[diffusion]` brings."""

_SLOW = "Riffusion computed on the CPU; with a CUDA device it takes a small part of the time."


class NoRiffusion(RuntimeError):
    """The engine riffusion is wanted and cannot run; the message names what is missing."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"the engine riffusion cannot run here: it needs {missing}")


@dataclass(frozen=True)
class Available:
    """What is there: all PACKAGES, the folder of `riffusion_model`, if any, and CUDA for torch."""

    packages: bool
    folder: Path | None
    cuda: bool


@dataclass(frozen=True)
class Choice:
    """The engine to load and where it computes; `notes` tell the user what would be better.

    `model` is a folder, or the id of a model on the Hugging Face hub; None for the composer.
    """

    engine: Engine
    model: Path | str | None = None
    device: Device = "cpu"
    notes: tuple[str, ...] = ()


def find_available(models_dir: Path, model: str) -> Available:
    """Looks for packages, the folder that `model`, a path or an installed model's name, means, and CUDA."""
    packages = all(find_spec(name) for name in PACKAGES)
    return Available(packages, locate(models_dir, model), torch_has_device())


def choose(wanted: Wanted, device: WantedDevice, model: str, available: Available) -> Choice:
    """The engine for the settings `riffusion_engine`, `device` and `riffusion_model`.

    `auto` takes Riffusion where packages, weights and a CUDA device are there: on a CPU it
    is slower than the music. Raises NoRiffusion.
    """
    if wanted == "composer":
        return Choice("composer")
    # Only who names the engine agrees to a download from the hub.
    source = available.folder or (model if wanted == "riffusion" and _is_hub_id(model) else None)
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
        return Choice("riffusion", source, "cuda") if cuda else Choice("riffusion", source, notes=(_SLOW,))
    if wanted == "riffusion":
        raise NoRiffusion(needs)
    return Choice("composer", notes=(f"The composer's own sound was used; Riffusion needs {needs}.",))


def _is_hub_id(model: str) -> bool:
    owner, _, name = model.partition("/")
    return bool(owner.strip("~.") and name) and "/" not in name
