"""The values that the services exchange, as plain Python.

Times are seconds from the start of the media; spans are half-open.
This module does not depend on protobuf; `etbgm_kit.converters` translates.
"""

from dataclasses import dataclass
from enum import StrEnum


class Emotion(StrEnum):
    """Ekman's six basic emotions and neutral (Ekman 1992), in alphabetical order."""

    ANGER = "anger"
    DISGUST = "disgust"
    FEAR = "fear"
    JOY = "joy"
    NEUTRAL = "neutral"
    SADNESS = "sadness"
    SURPRISE = "surprise"


@dataclass(frozen=True, slots=True)
class Artifact:
    """Stored bytes: where they are, their SHA-256 (hex), IANA media type and length."""

    uri: str
    sha256: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A half-open interval of media time, [start_s, end_s), 0 <= start_s <= end_s."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds, >= 0."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class MusicLevel:
    """A change of the music's level in a span, in dB; at the lowest there is no music."""

    span: Span
    gain_db: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of music with `beats` equally long beats, > 0."""

    span: Span
    beats: float


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word: its text without white space, confidence in [0, 1]."""

    span: Span
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Segment:
    """The speech that a recogniser finds between two pauses, or one caption.

    `confidence` is the mean over the words, in [0, 1]. Captions have confidence 1 and no words.
    """

    span: Span
    text: str
    confidence: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """The whole speech: segments in order of time; `language` is a BCP-47 tag."""

    segments: tuple[Segment, ...]
    language: str


class Evidence(StrEnum):
    """What an emotion, or its intensity, follows from."""

    WORDS = "words"
    VOICE = "voice"
    PICTURE = "picture"


@dataclass(frozen=True, slots=True)
class EmotionSpan:
    """A span with one emotion; `probability` and `intensity` are in [0, 1].

    `scores` are the probabilities of all candidate emotions, () if only that of `emotion`
    is known. `arousal` in [0, 1] is how excited the voice sounds, 0.5 as usual, None if unknown;
    `intensity` already contains it. `evidence` is in the order of Evidence, () if unknown.
    """

    span: Span
    emotion: Emotion
    probability: float
    intensity: float = 0.5
    scores: tuple[tuple[Emotion, float], ...] = ()
    arousal: float | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class EmotionTimeline:
    """Ordered spans without overlap or gap that cover [0, duration_s)."""

    duration_s: float
    spans: tuple[EmotionSpan, ...]


class CutKind(StrEnum):
    """How one shot follows another."""

    HARD = "hard"
    FADE = "fade"
    DISSOLVE = "dissolve"


@dataclass(frozen=True, slots=True, order=True)
class Cut:
    """The first instant of a new shot, or the middle of a fade or dissolve.

    `strength` is in [0, 1]; 0 means that music does not mark it. `by_user`: a user placed or changed it.
    """

    time_s: float
    strength: float = 1.0
    kind: CutKind = CutKind.HARD
    by_user: bool = False


@dataclass(frozen=True, slots=True)
class PictureMood:
    """The mood of picture and sound, one value for each second: see media.proto.

    `arousal` and `valence` are in [-1, 1], 0 is usual; `certainty` is in [0, 1].
    """

    arousal: tuple[float, ...]
    valence: tuple[float, ...]
    certainty: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Weights or sounds behind a result, and what their licence allows.

    `source` is where they come from, "" if unknown; `licence` is an SPDX identifier, a
    name, or "unknown"; `commercial_use` is None if unknown; `note` is one sentence for
    the user.
    """

    name: str
    source: str
    licence: str
    commercial_use: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """The engine that computed a result.

    `revision` changes whenever the same request could give a different result;
    `device` is "cpu" or "cuda:N"; `ingredients` are the weights or sounds that it uses.
    """

    name: str
    revision: str
    device: str
    ingredients: tuple[Ingredient, ...] = ()
