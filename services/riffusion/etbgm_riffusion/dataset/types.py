"""The values of a data set, as they are stored: one JSON object each."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from etbgm_kit.types import Emotion

Split = Literal["train", "validation"]
EmotionFrom = Literal["manifest", "folder", "profile"]
"""Who named the emotion; `profile` if it was guessed (`emotions`)."""

Setting = str | int | float | bool
SPLITS: tuple[Split, ...] = ("train", "validation")


class DatasetError(RuntimeError):
    """A data set cannot be made or used; the message tells the user what to change."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rights(_Stored):
    """What the manifest says about the rights in a source.

    `licence` is an SPDX identifier, "own", or a name; `commercial_use` is None if nobody said so.
    """

    licence: str
    owner: str
    commercial_use: bool | None
    credit: str = ""


class ClipFacts(_Stored):
    """What was measured in one clip; `name` is its file name without the suffix."""

    name: str
    start_s: float
    level_db: float
    """Mean level, dB relative to the whole source."""
    brightness_hz: float
    """Spectral centroid."""
    onsets_per_s: float
    fingerprint: str
    """64 bits in hexadecimal; clips that sound alike differ in few of them (`similar`)."""


class SourceRecord(_Stored):
    """All that was measured in one source; `settings` identifies how it was cut."""

    source: str
    sha256: str
    settings: str
    duration_s: float
    loudness_lufs: float
    tempo_bpm: float | None
    key: str | None
    """The tonic and "major" or "minor"; None if it was not measured."""
    tags: dict[str, str]
    heard: dict[str, float]
    """Features of an excerpt (`features`); empty if no emotion had to be guessed."""
    clips: tuple[ClipFacts, ...]
    silent: int
    """Clips that were left out as silent."""
    fault: str = ""
    """Why the rest of the file could not be read; empty if all of it was."""


class Clip(_Stored):
    """One row of metadata.jsonl: an image and what is known of it."""

    file_name: str
    caption: str
    emotion: Emotion
    emotion_confidence: float = Field(ge=0, le=1)
    emotion_from: EmotionFrom
    source: str
    piece: str
    """Clips of one piece are all in the same split."""
    start_s: float
    licence: str
    tempo_bpm: float | None = None
    key: str | None = None
    level_db: float = 0.0


class Source(_Stored):
    """One source in dataset.json: where the clips come from, and with what right."""

    source: str
    sha256: str
    piece: str
    split: Split
    rights: Rights
    clips: int
    duration_s: float


class Dataset(_Stored):
    """dataset.json: how the data set was made, and of what."""

    made_by: str
    settings: dict[str, Setting]
    sources: tuple[Source, ...]
    clips: dict[Split, int]
    duplicates: int
    """Clips that were left out because they sound like another one."""
    silent: int
