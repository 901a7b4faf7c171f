"""Reads the manifest of rights: a CSV table that says, for every source, who owns it and what is allowed.

A line's `source` is a path or a pattern (`sad/*.flac`, `*`), relative to the folder. Lines that match a
file apply in order, and an empty cell keeps what an earlier line said, so one line can cover a folder
and later ones make exceptions. Music without a line, or whose licence forbids training, is refused.
"""

import csv
import io
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.types import DatasetError, Rights

MANIFEST = "manifest.csv"

_EXAMPLE = "source,licence,owner\n*,own,Studio North"
_COLUMNS = {"license": "licence"}
"""Columns that have another name elsewhere."""

_SHOWN = 20
"""Refused sources that a message lists."""


class BadManifest(DatasetError):
    """The manifest cannot be read; the message names the file, the line if there is one, and the reason."""

    def __init__(self, path: Path, line: int | None, why: str) -> None:
        super().__init__(f"{path}, line {line}: {why}" if line else f"{path}: {why}")


class RightsMissing(DatasetError):
    """Sources may not be used; `refused` lists each with the reason."""

    def __init__(self, refused: Sequence[tuple[str, str]]) -> None:
        self.refused = tuple(refused)
        listed = "\n".join(f"  {source}: {why}" for source, why in refused[:_SHOWN])
        more = f"\n  and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        super().__init__(
            f"{len(refused)} sources may not be used. Correct the manifest or remove them:\n{listed}{more}"
        )


class _Line(BaseModel):
    """A line of the manifest; empty cells are None."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    source: str
    licence: str | None = None
    owner: str | None = None
    training: Literal["yes", "no"] | None = None
    commercial_use: Literal["yes", "no"] | None = None
    credit: str | None = None
    piece: str | None = None
    emotion: Emotion | None = None
    caption: str | None = None
    tags: str | None = None


class Licence(NamedTuple):
    """What a licence allows; `why` it forbids training."""

    pattern: str
    training: bool
    commercial_use: bool
    why: str = ""


class Entry(NamedTuple):
    """What the manifest says about one permitted source."""

    rights: Rights
    piece: str
    emotion: Emotion | None
    caption: str
    tags: str


def read_manifest(path: Path) -> tuple[_Line, ...]:
    """Reads the table, whose cells may be separated by commas, semicolons or tabs. Raises BadManifest."""
    text = _text(path)
    heading = text.partition("\n")[0]
    separator = max(",;\t", key=heading.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        written = [name.strip().lower() for name in reader.fieldnames or ()]
        names = [_COLUMNS.get(name, name) for name in written]
        if unknown := [name for name in names if name not in _Line.model_fields]:
            there = ", ".join(_Line.model_fields)
            raise BadManifest(path, 1, f"unknown columns {', '.join(unknown)}; there are {there}")
        if "source" not in names:
            raise BadManifest(path, 1, "there is no column source")
        reader.fieldnames = names
        return tuple(_line(path, reader.line_num, row) for row in reader)
    except csv.Error as error:
        raise BadManifest(path, reader.line_num + 1, str(error)) from None


def entries_of(lines: Iterable[_Line], sources: Sequence[str]) -> dict[str, Entry]:
    """Returns what applies to each of `sources`. Raises RightsMissing if any may not be used."""
    lines, licences = tuple(lines), read_licences()
    entries, refused = {}, []
    for source in sources:
        values: dict[str, str] = {}
        for line in lines:
            if _matches(line, source):
                values |= line.model_dump(exclude_none=True)
        entry = _entry(source, _Line(**values | {"source": source}), licences)
        if isinstance(entry, Entry):
            entries[source] = entry
        else:
            refused.append((source, entry))
    if refused:
        raise RightsMissing(refused)
    return entries


def unused(lines: Iterable[_Line], sources: Sequence[str], path: Path) -> list[str]:
    """Returns a sentence for each line that applies to no source, which is often a typing error."""
    idle = (line.source for line in lines if not any(_matches(line, source) for source in sources))
    return [f"{path}: no audio file is named {source}" for source in idle]


def read_licences() -> tuple[Licence, ...]:
    """Reads the package's table of licences."""
    text = files(__package__).joinpath("licences.toml").read_text(encoding="utf-8")
    return tuple(Licence(**row) for row in tomllib.loads(text)["licence"])


def spelled(licence: str) -> str:
    """Returns the licence with hyphens, and SPDX's capitals where they are known."""
    words = "-".join(licence.replace("_", " ").replace("-", " ").split())
    capitals = words.upper()
    return capitals if capitals.startswith(("CC-BY", "CC0", "PDDL", "MIT")) else words


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        why = "the file is missing; it must state a licence and an owner for each source, for example:"
        raise BadManifest(path, None, f"{why}\n{_EXAMPLE}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadManifest(path, line, "this is not UTF-8; save the table as CSV in UTF-8") from None


def _matches(line: _Line, source: str) -> bool:
    """Returns whether a line applies to a source: by its pattern, or by its name, which may have brackets."""
    # File systems differ in whether é is one character or two.
    named, wanted = (unicodedata.normalize("NFC", each) for each in (source, line.source))
    return named == wanted or fnmatchcase(named, wanted)


def _line(path: Path, number: int, row: dict[str | None, str | list[str] | None]) -> _Line:
    if None in row:
        raise BadManifest(path, number, "more cells than columns")
    cells = {name: cell.strip() for name, cell in row.items() if name and isinstance(cell, str)}
    try:
        return _Line.model_validate({name: cell for name, cell in cells.items() if cell})
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise BadManifest(path, number, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _entry(source: str, line: _Line, licences: Sequence[Licence]) -> Entry | str:
    """Returns the entry, or the reason why the source may not be used."""
    absent = [name for name in ("licence", "owner") if not getattr(line, name)]
    if absent or not line.licence or not line.owner:
        return f"the manifest states no {' and no '.join(absent)}"
    name = spelled(line.licence)
    known = next((one for one in licences if fnmatchcase(name.lower(), one.pattern.lower())), None)
    if line.training == "no":
        return "the manifest says that training is not permitted"
    if line.training is None and known is None:
        return f'the licence {name} is not known here; if its owner permits training, say "yes" there'
    if line.training is None and known and not known.training:
        return f"the licence {name} forbids it: {known.why}"
    commercial = line.commercial_use == "yes" if line.commercial_use else known and known.commercial_use
    # These licences require the author's name, so the owner is named unless the manifest says otherwise.
    credit = line.credit or (line.owner if name.startswith("CC-BY") else "")
    rights = Rights(licence=name, owner=line.owner, commercial_use=commercial, credit=credit)
    return Entry(rights, line.piece or source, line.emotion, line.caption or "", line.tags or "")
