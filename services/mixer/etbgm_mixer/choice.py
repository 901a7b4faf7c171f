"""Chooses the separator from the settings and what is installed."""

from dataclasses import dataclass, field
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

_SLOW = "demucs runs on the CPU; a CUDA device is many times faster."
_NAMED = "ETBGM_SEPARATION_ENGINE names it"


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
    """The separator to load, why, and what would be better.

    It is demucs with the model in `folder`, or RNNoise when that is None.
    """

    folder: Path | None = None
    device: Device = "cpu"
    reason: str = field(default="", compare=False)
    advice: tuple[str, ...] = ()


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
        return Choice(reason=_NAMED)
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
        return Choice(available.folder, "cuda" if cuda else "cpu", _NAMED, () if cuda else (_SLOW,))
    if not needs and available.commercial_use:
        return Choice(available.folder, "cuda", "demucs's packages, weights and device are present")
    reason = "demucs cannot run here" if needs else "demucs must be named in the settings"
    return Choice(reason=reason, advice=(_advice(needs, available.commercial_use),))


def _advice(needs: str, commercial_use: bool | None) -> str:
    sentences = ["RNNoise leaves some loud music under the words; demucs separates them better."]
    if needs:
        sentences.append(f"It needs {needs}.")
    if not commercial_use:
        licence = "forbids commercial use" if commercial_use is False else "is unknown"
        sentences.append(
            f"The licence of its weights {licence}, so it runs only with ETBGM_SEPARATION_ENGINE=demucs."
        )
    return " ".join(sentences)
