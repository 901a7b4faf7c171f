"""Installs a model of the catalogue: fetches its files, converts them if needed and records them."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

import httpx2
from huggingface_hub import HfApi, get_token, hf_hub_url
from huggingface_hub.hf_api import RepoSibling

from etbgm_cli.weights import record
from etbgm_cli.weights.conversion import Conversion, conversion_of
from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.fetch import RemoteFile, fetch, refusals_told, unreachable
from etbgm_cli.weights.record import PART
from etbgm_kit.artifacts.locks import locked
from etbgm_kit.models.catalogue import Download, Entry, Hub
from etbgm_kit.models.folders import RECORD

Progress = Callable[[int, int], None]
"""Called with the number of bytes present so far and the total number."""


def install(entry: Entry, models_dir: Path, progress: Progress) -> Path:
    """Installs the model in `models_dir`, unless it is up to date, and returns its folder. Blocks.

    Resumes an interrupted download.

    Raises:
        WeightsError: the model cannot be fetched or converted, or another process is installing models.
        OSError: the disk is full or cannot be written.
    """
    folder = models_dir / entry.name
    models_dir.mkdir(parents=True, exist_ok=True)
    with _alone(models_dir):
        if not is_current(entry, folder):
            _install(entry, models_dir, folder, progress)
    return folder


def _install(entry: Entry, models_dir: Path, folder: Path, progress: Progress) -> None:
    conversion = conversion_of(entry)
    if conversion:
        _require(conversion)
    (folder / RECORD).unlink(missing_ok=True)
    fetched = models_dir / f"{entry.name}{PART}" if conversion else folder
    _fetch_all(entry, fetched, progress)
    if conversion:
        _convert(conversion, fetched, folder)
    record.write(folder, entry)
    if conversion:
        shutil.rmtree(fetched)


@contextmanager
def _alone(models_dir: Path) -> Iterator[None]:
    """Locks the folder, because two processes that write to one file would corrupt it."""
    with locked(models_dir / ".lock") as is_held:
        if not is_held:
            raise WeightsError(f"another process is installing models in {models_dir}")
        yield


def is_current(entry: Entry, folder: Path) -> bool:
    """Whether `folder` has the model at the catalogue's revision and all files match the record."""
    if not (folder / RECORD).is_file() or record.faults(folder):
        return False
    return record.read(folder).revision == record.revision_of(entry)


def _fetch_all(entry: Entry, folder: Path, progress: Progress) -> None:
    files, headers = _files_of(entry)
    total = sum(file.size_bytes for file in files)
    before = 0

    def on_progress(size: int) -> None:
        progress(before + size, total)

    folder.mkdir(parents=True, exist_ok=True)
    _require_space(folder, total)
    for file in files:
        fetch(file, folder, headers, on_progress)
        before += file.size_bytes


def _files_of(entry: Entry) -> tuple[list[RemoteFile], dict[str, str]]:
    """The files to fetch and the request headers."""
    match entry.source:
        case Hub() as source:
            api = HfApi(token=get_token())
            headers = {"Authorization": f"Bearer {api.token}"} if api.token else {}
            return _on_hub(api, source, entry.sha256), headers
        case Download() as source:
            size = entry.size_bytes or 0
            return [RemoteFile(source.file, source.url, size, entry.sha256[source.file])], {}
    raise WeightsError(f"{entry.name} is part of {entry.source}; no download is needed")


def _on_hub(api: HfApi, source: Hub, known: dict[str, str]) -> list[RemoteFile]:
    try:
        with refusals_told(source.hub):
            info = api.model_info(source.hub, revision=source.revision, files_metadata=True, timeout=10)
    except httpx2.TransportError as error:
        raise unreachable(api.endpoint, error) from error
    wanted = [file for file in info.siblings or [] if any(fnmatch(file.rfilename, p) for p in source.files)]
    for pattern in source.files:
        if not any(fnmatch(file.rfilename, pattern) for file in wanted):
            raise WeightsError(f"{source} contains no file {pattern}")
    return [_file_of(source, file, known) for file in wanted]


def _file_of(source: Hub, file: RepoSibling, known: dict[str, str]) -> RemoteFile:
    name = PurePosixPath(file.rfilename)
    if name.is_absolute() or ".." in name.parts or file.size is None:
        raise WeightsError(f"{source} lists a file that cannot be downloaded: {name}")
    sha256 = known.get(file.rfilename) or (file.lfs.sha256 if file.lfs else None)
    return RemoteFile(
        str(name), hf_hub_url(source.hub, file.rfilename, revision=source.revision), file.size, sha256
    )


def _require_space(folder: Path, total: int) -> None:
    have = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if total - have > free:
        raise WeightsError(f"{folder}: {total - have:,} bytes are needed, but only {free:,} are free")


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
