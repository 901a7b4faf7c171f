"""The riffusion service's requests and results, as plain values."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Artifact, Bar, Cut, Emotion, EmotionTimeline, EngineInfo, Ingredient, Span
from etbgm_riffusion.diffusion.types import Continuity

AUTO = "auto"
"""The style name that lets the random seed choose a style."""

Stereo = NDArray[np.float32]
"""Samples, (samples, 2) float32."""


class Hits(StrEnum):
    """How the music marks the cuts of the picture."""

    OFF = "off"
    SUBTLE = "subtle"
    STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Piece:
    """The inputs that determine a piece of music: the same values produce the same notes.

    `speech_spans` are ordered and do not overlap; `random_seed` is in [0, 2^53); `style` is a style's
    name, AUTO, or hints that `composer.hints` reads; `cuts` are in order of time.
    """

    timeline: EmotionTimeline
    speech_spans: tuple[Span, ...]
    random_seed: int
    style: str
    cuts: tuple[Cut, ...] = ()
    hits: Hits = Hits.OFF


@dataclass(frozen=True, slots=True)
class DiffusionSettings:
    """How far diffusion may depart from the composer's sound, and how.

    `denoising_strength` is in [0, 1], `guidance_scale` in [0, 20], `steps` in [1, 150], `alpha` in
    [0.01, 1]; `adapters` are names of LoRAs, without duplicates, with their weights in [-2, 2]. The gRPC
    contract explains each field.
    """

    denoising_strength: float = 0.5
    guidance_scale: float = 7.0
    steps: int = 30
    continuity: Continuity = Continuity.JOINT
    alpha: float = 0.25
    adapters: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class CueRequest:
    """Requests the sound of `cue`, a span inside the piece, at `sample_rate_hz`.

    With `stems`, each role's part is requested too. `diffusion` is None if the caller leaves the settings
    to the engine.
    """

    piece: Piece
    cue: Span
    sample_rate_hz: int
    stems: bool = False
    diffusion: DiffusionSettings | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the piece with one emotion; `key` looks like "D dorian"."""

    span: Span
    emotion: Emotion
    key: str
    tempo_bpm: float
    bars: int


@dataclass(frozen=True, slots=True)
class Generated:
    """What an engine reports about the music it wrote.

    `midi` is a standard MIDI file of the whole piece, `picture` a PNG of it; `notes` are sentences for
    the user; `stems` names the roles written to separate files, the same for every cue of a piece;
    `bars` are those that begin within the cue; `ingredients` lists what this music used in addition
    to the engine's own ingredients.
    """

    midi: bytes
    picture: bytes
    sections: tuple[Section, ...]
    bars: tuple[Bar, ...]
    style: str
    notes: tuple[str, ...]
    stems: tuple[str, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()


@dataclass(frozen=True, slots=True)
class AdapterInfo:
    """An available adapter (LoRA); `sha256` is the hash of its weights, in hexadecimal."""

    name: str
    sha256: str
    loaded: bool


@dataclass(frozen=True, slots=True)
class StyleInfo:
    """A style's name and a one-sentence description for the user."""

    name: str
    description: str


@dataclass(frozen=True, slots=True)
class Music:
    """The stored result of one call: the cue's sound, the piece's MIDI file and picture.

    `stems` are the sounds of `generated.stems`, in the same order.
    """

    music: Artifact
    midi: Artifact
    picture: Artifact
    stems: tuple[Artifact, ...]
    generated: Generated
    engine: EngineInfo
