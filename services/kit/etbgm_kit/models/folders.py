"""Folders of model weights: where they are, whether they are whole, and what breaks.

`etbgm models pull` fetches a model of the catalogue into `models_dir/<name>` and writes
RECORD there last, so a folder without it is a download that was cut off. Folders that a
user made lie anywhere and need no record.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

RECORD = "etbgm-model.json"
"""What was fetched: the files with their sizes and SHA-256, the source and its revision."""


class BrokenModel(RuntimeError):
    """A model folder cannot be used; the message names it and says why."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"the model in {folder} cannot be used: {why}")
        self.folder, self.why = folder, why


def installed(models_dir: Path, name: str) -> Path | None:
    """The folder of the catalogue's model `name`, or None unless it was fetched to the end."""
    folder = models_dir / name
    return folder if (folder / RECORD).is_file() else None


def locate(models_dir: Path, model: str) -> Path | None:
    """The folder that the setting `model` means: an installed model's name, or a path that is there."""
    folder = Path(model).expanduser()
    return installed(models_dir, model) or (folder if folder.is_dir() else None)


def require(folder: Path, files: Iterable[str]) -> None:
    """Raises BrokenModel naming those of `files` that are missing or empty."""
    missing = [name for name in files if not (folder / name).is_file() or not (folder / name).stat().st_size]
    if missing:
        raise BrokenModel(folder, f"missing or empty: {', '.join(missing)}")


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """What any library raises about the weights inside the context becomes one BrokenModel.

    Libraries raise almost anything for a file that is cut off or altered: ValueError,
    KeyError, OSError, exceptions of their own; only running out of memory is not the folder's fault.
    """
    try:
        yield
    except (BrokenModel, MemoryError):
        raise
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise BrokenModel(folder, reason) from error
