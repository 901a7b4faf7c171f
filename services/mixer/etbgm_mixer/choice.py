"""Which separator is used: of settings and of what is there."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from etbgm_kit.models.catalogue import find
from etbgm_kit.models.cuda import Device, WantedDevice, torch_has_device
from etbgm_kit.models.folders import installed, locate
from etbgm_kit.models.requirements import missing

Wanted = Literal["auto", "rnnoise", "demucs"]

PACKAGES = ("torch", "demucs")
"""What `etbgm-mixer[demucs]` brings."""

_SLOW = "demucs computed on the CPU; with a CUDA device it takes a small part of the time."


class NoDemucs(RuntimeError):
    """The engine demucs is wanted and cannot run; the message names what is missing."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"the engine demucs cannot run here: it needs {missing}")


@dataclass(frozen=True)
class Available:
    """What is there: all PACKAGES, the folder of `demucs_model`, if any, and CUDA for torch.

    `commercial_use` tells whether the licence of `demucs_model` allows it; None: nobody knows.
    """

    packages: bool
    folder: Path | None
    cuda: bool
    commercial_use: bool | None


@dataclass(frozen=True)
class Choice:
    """The separator to load: demucs with the model in `folder`, or RNNoise when that is None.

    `notes` tell the user what would be better.
    """

    folder: Path | None = None
    device: Device = "cpu"
    notes: tuple[str, ...] = ()


def find_available(models_dir: Path, model: str) -> Available:
    """Looks for packages, the folder that `model`, a path or an installed model's name, means, and CUDA."""
    folder = locate(models_dir, model)
    # A folder of one's own may have any name: only an installed one is what the catalogue tells of.
    from_catalogue = folder is None or folder == installed(models_dir, model)
    entry = find(model) if from_catalogue else None
    packages = all(find_spec(name) for name in PACKAGES)
    return Available(packages, folder, torch_has_device(), entry.commercial_use if entry else None)


def choose(wanted: Wanted, device: WantedDevice, model: str, available: Available) -> Choice:
    """The separator for the settings `separation_engine`, `device` and `demucs_model`.

    `auto` takes demucs where packages, weights and a CUDA device are there: on a CPU it is
    slower than the sound. It never takes weights that are not known to permit commercial
    use: only who names the engine can know that the use is another. Raises NoDemucs.
    """
    if wanted == "rnnoise":
        return Choice()
    cuda = available.cuda and device != "cpu"
    needs = missing(
        extra="etbgm-mixer[demucs]",
        packages=available.packages,
        model=model,
        weights=available.folder is not None,
        device=cuda or (wanted == "demucs" and device != "cuda"),
    )
    if wanted == "demucs":
        if needs or available.folder is None:
            raise NoDemucs(needs)
        return Choice(available.folder, "cuda") if cuda else Choice(available.folder, notes=(_SLOW,))
    if not needs and available.commercial_use:
        return Choice(available.folder, "cuda")
    return Choice(notes=(_note(needs, available.commercial_use),))


def _note(needs: str, commercial_use: bool | None) -> str:
    reasons = [f"needs {needs}"] if needs else []
    if not commercial_use:
        licence = "forbids commercial use" if commercial_use is False else "is unknown"
        reasons.append(f"is used only where the settings name it, as the licence of its weights {licence}")
    return (
        "Speech was separated by RNNoise, which leaves some loud music under the words; "
        f"demucs parts them better, but {' and '.join(reasons)}."
    )
