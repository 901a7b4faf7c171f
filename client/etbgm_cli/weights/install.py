"""Installs a model of the catalogue: fetches its files, converts them if needed and records them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from etbgm_cli.weights import record
from etbgm_cli.weights.conversion import Conversion, conversion_of
from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.record import PART
from etbgm_cli.weights.sources import Watch, fetch_from_first
from etbgm_kit.artifacts.locks import locked
from etbgm_kit.models.catalogue import Entry, Folder
from etbgm_kit.models.folders import RECORD


def install(entry: Entry, models_dir: Path, watch: Watch, given: Path | None = None) -> Path:
    """Installs the model in `models_dir`, unless it is up to date, and returns its folder. Blocks.

    Takes the files from the folder `given` only, if it is not None. Resumes an interrupted download.

    Raises:
        WeightsError: the model cannot be fetched or converted, or another process is installing models.
        OSError: the disk is full or cannot be written.
    """
    folder = models_dir / entry.name
    models_dir.mkdir(parents=True, exist_ok=True)
    with _alone(models_dir):
        if not is_current(entry, folder):
            _install(entry, models_dir, folder, watch, given)
    return folder


def _install(entry: Entry, models_dir: Path, folder: Path, watch: Watch, given: Path | None) -> None:
    conversion = conversion_of(entry)
    if conversion:
        _require(conversion)
    (folder / RECORD).unlink(missing_ok=True)
    fetched = models_dir / f"{entry.name}{PART}" if conversion else folder
    fetched.mkdir(parents=True, exist_ok=True)
    sources = [Folder(folder=given)] if given else [*entry.mirrors, entry.source]
    source = fetch_from_first(entry, sources, fetched, watch)
    if conversion:
        _convert(conversion, fetched, folder)
    else:
        _remove_parts(fetched)
    record.write(folder, entry, source)
    if conversion:
        shutil.rmtree(fetched)


@contextmanager
def _alone(models_dir: Path) -> Iterator[None]:
    """Locks the folder, because two processes that write to one file would corrupt it."""
    with locked(models_dir / ".lock") as is_held:
        if not is_held:
            raise WeightsError(f"another process is installing models in {models_dir}")
        yield


def _remove_parts(folder: Path) -> None:
    """Removes what interrupted downloads and sources that failed have left."""
    for part in list(folder.rglob(f"*{PART}")):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def is_current(entry: Entry, folder: Path) -> bool:
    """Whether `folder` has the model at the catalogue's revision and all files match the record."""
    if not (folder / RECORD).is_file() or record.faults(folder):
        return False
    return record.read(folder).revision == record.revision_of(entry)


def _require(conversion: Conversion) -> None:
    missing = [module for module in conversion.modules if not find_spec(module)]
    if missing:
        raise WeightsError(f"the conversion needs {', '.join(missing)}: pip install '{conversion.extra}'")


def _convert(conversion: Conversion, source: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", *conversion.arguments(source, folder)]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if run.returncode:
        why = (run.stderr.strip() or "no reason was given").splitlines()[-1]
        raise WeightsError(f"cannot convert {source}: {why}")
