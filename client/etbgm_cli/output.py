"""Checks where a result goes, before any work: nothing that the command did not write is touched."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.filesize import decimal

from etbgm_cli.marker import MARKER, Marker, read_marker
from etbgm_kit.artifacts.scratch import PREFIX
from etbgm_kit.artifacts.space import space_in
from etbgm_kit.errors import EtbgmError, InvalidField

REMEDY = "free space on its disk, or choose another folder"

_RESULT_NAME = re.compile(
    r"variant-\d+(\..+)?|(speech|residual)\.flac|transcript(\.en)?\.(srt|vtt)|(transcript|timeline|report)\.json"
    r"|timeline\.png"
)
"""The names directly in a result folder, of `run` and of `compose`."""


class NotEnoughSpace(EtbgmError):
    """The disk of `folder` has fewer free bytes than a result needs."""

    code = "RESOURCE_EXHAUSTED"
    reason = "STORAGE_FULL"

    def __init__(self, folder: Path, needed_bytes: int, free_bytes: int) -> None:
        needed, free = decimal(needed_bytes), decimal(free_bytes)
        super().__init__(f"{folder}: about {needed} are needed, but {free} are free; {REMEDY}")


@dataclass(frozen=True)
class Place:
    """Where a result goes: its folder, and the names that the video beside the folder may get."""

    folder: Path
    videos: tuple[Path, ...] = ()


def check_place(place: Place, inputs: Iterable[Path] = ()) -> None:
    """Checks that a result can be written to `place` without touching `inputs` or others' files.

    Raises InvalidField, which names the remedy, and StorageFull.
    """
    ancestor = existing_ancestor(place.folder.parent)
    try:
        with space_in(ancestor, REMEDY):
            _check_names(place, ancestor)
            _check_inputs(place, inputs)
            marker = _checked_folder(place.folder)
            _check_videos(place.videos, marker)
            if place.folder.exists():
                _try_to_write(place.folder)
            if place.videos or not place.folder.exists():
                _try_to_write(ancestor)
    except OSError as error:
        where, why = error.filename or place.folder, error.strerror or error
        raise _refused(f"cannot write to {where}: {why}; choose another place with -o") from None


def check_space(needs: Iterable[tuple[Path, int]]) -> None:
    """Checks that each disk has the bytes needed in the folders on it. Raises NotEnoughSpace, OSError."""
    sums: dict[int, tuple[Path, int]] = {}
    for folder, needed_bytes in needs:
        existing = existing_ancestor(folder)
        first, so_far = sums.get(existing.stat().st_dev, (existing, 0))
        sums[existing.stat().st_dev] = (first, so_far + needed_bytes)
    for folder, needed_bytes in sums.values():
        free_bytes = shutil.disk_usage(folder).free
        if free_bytes < needed_bytes:
            raise NotEnoughSpace(folder, needed_bytes, free_bytes)


def existing_ancestor(path: Path) -> Path:
    """`path`, or else the closest folder above it that exists."""
    return next((each for each in (path, *path.parents) if os.path.lexists(each)), Path())


def is_result_name(name: str) -> bool:
    """Whether results have a file or folder of this name directly in their folder."""
    return bool(_RESULT_NAME.fullmatch(name))


def _refused(why: str) -> InvalidField:
    return InvalidField("output", why)


def _check_names(place: Place, ancestor: Path) -> None:
    """Refuses what no file system accepts, and files and symbolic links in the place of folders."""
    if not ancestor.is_dir():
        raise _refused(f"{ancestor} is not a folder; choose another place with -o")
    longest = os.pathconf(ancestor, "PC_NAME_MAX")
    for path in (place.folder, *place.videos):
        for name in path.relative_to(ancestor).parts if path.is_relative_to(ancestor) else [path.name]:
            if (size := len(os.fsencode(name))) > longest:
                why = f"the name {name} has {size} bytes, but at most {longest} are possible"
                raise _refused(f"{why}; choose a shorter one with -o")
        if path.is_symlink():
            raise _refused(f"{path} is a symbolic link; name the place that it leads to, or another one")


def _check_inputs(place: Place, inputs: Iterable[Path]) -> None:
    folder = place.folder.resolve()
    for given in filter(Path.exists, inputs):
        if given.resolve().is_relative_to(folder):
            why = f"the input {given} lies in {place.folder}, which gets the result"
            raise _refused(f"{why}; copy it to another folder, or choose another place with -o")
        for path in place.videos:
            if path.exists() and path.samefile(given):
                raise _refused(
                    f"{path} is an input and must not be written over; choose another name with -o"
                )


def _checked_folder(folder: Path) -> Marker:
    """The marker of the result folder, empty for a new one. Refuses folders that are not ours."""
    if not folder.exists():
        return Marker()
    if not folder.is_dir():
        raise _refused(f"{folder} is a file, but a folder of this name is needed; choose another with -o")
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(PREFIX)]
    marker = read_marker(folder)
    if marker is None and entries:
        why = f"the folder {folder} is not empty and not a result of etbgm (it has no valid {MARKER})"
        raise _refused(f"{why}; move it, or choose another place with -o")
    marker = marker or Marker()
    for entry in entries:
        is_ours = entry.name in marker.entries and not (entry.is_symlink() and entry.is_dir())
        if is_result_name(entry.name) and not is_ours:
            raise _refused(f"{entry} was not written by etbgm; move it, or choose another place with -o")
    return marker


def _check_videos(videos: Iterable[Path], marker: Marker) -> None:
    for path in videos:
        if path.is_dir():
            raise _refused(f"{path} is a folder; name a file with -o")
        if path.exists() and path.name not in marker.videos:
            raise _refused(f"{path} exists and was not written by etbgm; move it, or choose another with -o")


def _try_to_write(folder: Path) -> None:
    """Creates and removes an empty folder, since permissions alone do not tell. Raises OSError."""
    try:
        with tempfile.TemporaryDirectory(prefix=PREFIX, dir=folder):
            pass
    except OSError as error:
        error.filename = str(folder)
        raise
