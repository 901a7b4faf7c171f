"""Chooses the separator from the settings and the installed packages and models."""

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from etbgm_kit.models.catalogue import find
from etbgm_kit.models.cuda import Device, WantedDevice, torch_has_device
from etbgm_kit.models.folders import installed, locate
from etbgm_kit.models.requirements import missing

Wanted = Literal["auto", "deepfilternet", "demucs"]

PACKAGES = ("torch", "demucs")
"""Packages that `etbgm-mixer[demucs]` installs."""

_SLOW = "demucs runs on the CPU; a CUDA device is many times faster."
_NAMED = "ETBGM_SEPARATION_ENGINE names it"


class NoDemucs(RuntimeError):
    """The settings require demucs, but it cannot run; the message names what is missing."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"the engine demucs cannot run here: it needs {missing}")


@dataclass(frozen=True)
class Available:
    """What is available: all PACKAGES, the folder of `demucs_model` (None if missing), CUDA for torch.

    `commercial_use` states whether the licence of `demucs_model` permits it; None if unknown.
    """

    packages: bool
    folder: Path | None
    cuda: bool
    commercial_use: bool | None


@dataclass(frozen=True)
class Choice:
    """The separator to load, the reason, and advice on better options.

    It is demucs with the model in `folder`, or DeepFilterNet if `folder` is None.
    """

    folder: Path | None = None
    device: Device = "cpu"
    reason: str = field(default="", compare=False)
    advice: tuple[str, ...] = ()


def find_available(models_dir: Path, model: str) -> Available:
    """Looks for the packages, the folder of `model` (a path or an installed model's name) and CUDA."""
    folder = locate(models_dir, model)
    # A user's own folder may have any name, so the catalogue's entry applies only to an installed model.
    from_catalogue = folder is None or folder == installed(models_dir, model)
    entry = find(model) if from_catalogue else None
    packages = all(find_spec(name) for name in PACKAGES)
    return Available(packages, folder, torch_has_device(), entry.commercial_use if entry else None)


def choose(wanted: Wanted, device: WantedDevice, model: str, available: Available) -> Choice:
    """Returns the separator for the settings `separation_engine`, `device` and `demucs_model`.

    `auto` selects demucs if its packages, its weights and a CUDA device are available: on a
    CPU, demucs is slower than real time. `auto` never selects weights whose licence is not known
    to permit commercial use: only a user who names the engine knows the purpose. Raises NoDemucs.
    """
    if wanted == "deepfilternet":
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
    sentences = ["DeepFilterNet leaves some loud music under the words; demucs can separate them better."]
    if needs:
        sentences.append(f"It needs {needs}.")
    if not commercial_use:
        licence = "forbids commercial use" if commercial_use is False else "is unknown"
        sentences.append(
            f"The licence of its weights {licence}, so it runs only with ETBGM_SEPARATION_ENGINE=demucs."
        )
    return " ".join(sentences)
