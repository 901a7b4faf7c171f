"""Folders of model weights: finds them, checks them for completeness and reports broken ones.

`etbgm models pull` fetches a model of the catalogue into `models_dir/<name>` and writes
RECORD there last, so a folder without it is an incomplete download. Folders that a user
made may be anywhere and need no record.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

RECORD = "etbgm-model.json"
"""Record of the download: the files with their sizes and SHA-256, the source and its revision."""


class BrokenModel(RuntimeError):
    """A model folder cannot be used; the message names the folder and the reason."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"the model in {folder} cannot be used: {why}")
        self.folder, self.why = folder, why


def installed(models_dir: Path, name: str) -> Path | None:
    """The folder of the catalogue's model `name`; None unless its download is complete."""
    folder = models_dir / name
    return folder if (folder / RECORD).is_file() else None


def locate(models_dir: Path, model: str) -> Path | None:
    """The folder for the setting `model`, an installed model's name or a path; None if there is none."""
    folder = Path(model).expanduser()
    return installed(models_dir, model) or (folder if folder.is_dir() else None)


def require(folder: Path, files: Iterable[str]) -> None:
    """Raises BrokenModel if any of `files` is missing or empty; the message names them."""
    missing = [name for name in files if not (folder / name).is_file() or not (folder / name).stat().st_size]
    if missing:
        raise BrokenModel(folder, f"missing or empty: {', '.join(missing)}")


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Converts any exception that loading weights raises inside the context to BrokenModel.

    Libraries raise almost anything for a truncated or altered file: ValueError, KeyError,
    OSError, their own exceptions. MemoryError passes, since it is not the folder's fault.
    """
    try:
        yield
    except (BrokenModel, MemoryError):
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise BrokenModel(folder, reason) from error
