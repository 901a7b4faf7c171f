"""The record of an installed model. It is written last, so a folder with a record is complete."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.models.catalogue import Entry, Hub, Mirror, Source
from etbgm_kit.models.folders import RECORD

PART = ".part"
"""Suffix of an incomplete file or folder."""


class FileFacts(BaseModel):
    """Size and SHA-256 (hex) of a file."""

    model_config = ConfigDict(frozen=True)

    size_bytes: int
    sha256: str


class Record(BaseModel):
    """The contents of a model's folder, stored as JSON in etbgm-model.json."""

    model_config = ConfigDict(frozen=True)

    name: str
    source: str
    fetched_from: str = ""
    """The mirror or folder that served the files; "" if the source did."""
    revision: str
    """The commit on the hub; "" if there is none."""
    licence: str
    files: dict[str, FileFacts]
    """Files by their path in the folder."""


def write(folder: Path, entry: Entry, served_by: Source | Mirror) -> None:
    """Records all files in `folder` as the model `entry`. Writes the record atomically."""
    record = Record(
        name=entry.name,
        source=str(entry.source),
        fetched_from="" if served_by == entry.source else str(served_by),
        revision=revision_of(entry),
        licence=entry.licence,
        files={name: _facts(folder / name) for name in sorted(_files(folder))},
    )
    new = folder / f"{RECORD}{PART}"
    new.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    new.replace(folder / RECORD)


def read(folder: Path) -> Record:
    """The record in `folder`. Raises OSError if it is missing, ValueError if it cannot be parsed."""
    return Record.model_validate_json((folder / RECORD).read_bytes())


def revision_of(entry: Entry) -> str:
    """The commit that `entry` names; "" if it names none."""
    return entry.source.revision if isinstance(entry.source, Hub) else ""


def faults(folder: Path) -> list[str]:
    """Differences from the record, one line for each file. Reads every file."""
    try:
        record = read(folder)
    except OSError:
        return ["the download is incomplete"]
    except ValueError:
        return [f"{RECORD}: cannot be read"]
    found = ((name, _fault(folder / name, facts)) for name, facts in record.files.items())
    return [f"{name}: {fault}" for name, fault in found if fault]


def _fault(path: Path, facts: FileFacts) -> str:
    if not path.is_file():
        return "missing"
    if (size := path.stat().st_size) != facts.size_bytes:
        return f"has {size} bytes instead of {facts.size_bytes}"
    return "" if sha256_of(path) == facts.sha256 else "its contents have changed since the download"


def _facts(path: Path) -> FileFacts:
    return FileFacts(size_bytes=path.stat().st_size, sha256=sha256_of(path))


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and path.name != RECORD and path.suffix != PART:
            yield path.relative_to(folder).as_posix()
