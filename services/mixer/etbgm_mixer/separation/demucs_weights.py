"""Finds, checks and loads a local demucs checkpoint without network access.

demucs puts the beginning of the file's SHA-256 into its name, NAME-CHECKSUM.th. The file
is a pickle, which could run any code, so a checkpoint without a published full hash may
contain only tensors and the types that make up an HTDemucs.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.models.catalogue import Entry, find
from etbgm_kit.models.folders import RECORD, BrokenModel, loading, require
from etbgm_kit.types import Ingredient

if TYPE_CHECKING:
    from demucs.htdemucs import HTDemucs

VOCALS = "vocals"
"""demucs's name for the source that contains speech."""


@dataclass(frozen=True)
class Checkpoint:
    """A verified file; `entry` is its catalogue entry if it was installed by name."""

    file: Path
    sha256: str
    entry: Entry | None

    @property
    def is_published(self) -> bool:
        """Whether the catalogue contains the full hash."""
        return bool(self.entry and self.entry.sha256.get(self.file.name) == self.sha256)

    def ingredient(self) -> Ingredient:
        """Returns the ingredient for results; the licence is unknown unless the catalogue states it."""
        folder = self.file.parent.resolve()
        return (
            self.entry.ingredient() if self.entry else Ingredient(folder.name, str(folder), "unknown", None)
        )


def find_checkpoint(folder: Path) -> Checkpoint:
    """Returns the only .th file in `folder` after checking it. Raises BrokenModel."""
    entry = find(folder.name) if (folder / RECORD).is_file() else None
    require(folder, entry.sha256 if entry else ())
    files = sorted(folder.glob("*.th"))
    if len(files) != 1:
        raise BrokenModel(folder, f"must hold one checkpoint NAME-CHECKSUM.th, holds {len(files)}")
    (file,) = files
    named = re.fullmatch(r".+-([0-9a-f]{8,64})", file.stem)
    if not named:
        raise BrokenModel(folder, f"{file.name} does not end in its checksum, like NAME-12345678.th")
    sha256 = sha256_of(file)
    expected = entry.sha256.get(file.name, named[1]) if entry else named[1]
    if not sha256.startswith(expected):
        raise BrokenModel(folder, f"{file.name} is cut off or altered: its SHA-256 begins with {sha256[:8]}")
    return Checkpoint(file, sha256, entry)


def load(checkpoint: Checkpoint, device: str) -> "HTDemucs":
    """Returns the model, ready to run on `device`. Raises BrokenModel."""
    from fractions import Fraction

    import torch
    from demucs.htdemucs import HTDemucs
    from demucs.states import load_model

    folder = checkpoint.file.parent
    with loading(folder), torch.serialization.safe_globals([HTDemucs, Fraction]):
        package = torch.load(checkpoint.file, "cpu", weights_only=not checkpoint.is_published)
        model = load_model(package)
        if not isinstance(model, HTDemucs):
            raise BrokenModel(folder, f"it is no HTDemucs but a {type(model).__name__}")
        if VOCALS not in model.sources:
            raise BrokenModel(folder, f"it knows {', '.join(model.sources)}, but no {VOCALS}")
        return model.to(device).eval()
