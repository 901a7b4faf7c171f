"""The catalogue of weights and sounds: where each comes from, and what its licence allows.

The facts are in licences.toml; this module reads and checks them. Entries of one's own,
for a model or a SoundFont that it does not have, are read from the file that the
environment variable ETBGM_CATALOGUE names; it has the same form.
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
    """TOML has no null: what nobody has told is "unknown" there, and None here."""
    return None if value == "unknown" else value


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BadCatalogue(RuntimeError):
    """A file of entries cannot be read; the message names it and says why."""

    def __init__(self, file: str, why: str) -> None:
        super().__init__(f"the catalogue {file} cannot be read: {why}")


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Hub(_Facts):
    """Files of a repository on the Hugging Face hub, at one commit."""

    hub: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    """Its id: owner/name."""
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    """The commit."""
    files: tuple[str, ...] = Field(min_length=1)
    """What is fetched, as shell patterns; each must find something."""

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
    """Part of a package, which is installed by other means."""

    package: str

    def __str__(self) -> str:
        return self.package


Source = Hub | Download | Bundled


class Entry(_Facts):
    """Weights or sounds that the product may use; all fields are in licences.toml."""

    name: str = Field(pattern=r"^[\w.-]+$")
    """The name in settings and results, and of the folder among the installed models."""
    service: Literal["stt", "sentiment", "riffusion", "mixer"]
    """Which service uses it; for silero VAD the first of two."""
    engine: str = Field(min_length=1)
    """Which engine of that service."""
    kind: Literal["weights", "sounds"]
    source: Source
    """Where it comes from."""
    convert: Literal["ctranslate2", "onnx"] | None = None
    """What the files must be turned into before the engine can use them."""
    size_bytes: int | None = Field(default=None, gt=0)
    """Of what is fetched, or of the part of the package; None when not known."""
    sha256: dict[str, Sha256] = {}
    """By file name; of those whose hashes are known independently of the source."""
    licence: str = Field(min_length=1)
    """SPDX identifier, a name, or "unknown"."""
    commercial_use: Annotated[bool | None, BeforeValidator(_known)]
    """Whether results may be used commercially; "unknown" in the file is None here."""
    permitted: str = Field(pattern=r"\.$")
    """What the licence permits, in one sentence for the user."""

    @model_validator(mode="after")
    def _unknown_stays_unknown(self) -> Self:
        if self.licence == "unknown" and self.commercial_use:
            raise ValueError("an unknown licence cannot be known to permit commercial use")
        return self

    def ingredient(self) -> Ingredient:
        """As results name it."""
        return Ingredient(self.name, str(self.source), self.licence, self.commercial_use, self.permitted)


class _File(_Facts):
    entry: tuple[Entry, ...]


@cache
def entries() -> tuple[Entry, ...]:
    """All entries, in the order of the file; those of one's own come last.

    Raises:
        BadCatalogue: a file cannot be read, has a field that does not fit, or a name twice.
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
    """The entry of that name, or of that id on the hub, or None."""
    return next((entry for entry in entries() if name in (entry.name, _hub_id(entry))), None)


def _hub_id(entry: Entry) -> str | None:
    return entry.source.hub if isinstance(entry.source, Hub) else None


def ingredient(name: str, source: str = "") -> Ingredient:
    """What a result that `name` made tells of it: licence unknown unless the catalogue has it."""
    entry = find(name)
    return entry.ingredient() if entry else Ingredient(name, source, "unknown", None)
