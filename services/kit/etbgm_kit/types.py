"""The values that the services exchange, as plain Python.

Times are seconds from the first instant of the media; spans are half-open.
Nothing here knows of protobuf; `etbgm_kit.converters` translates.
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
    """A half-open stretch of media time, [start_s, end_s), 0 <= start_s <= end_s."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds, >= 0."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word: its text without white space, confidence in [0, 1]."""

    span: Span
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Segment:
    """What a recogniser emits between two pauses, or one caption.

    `confidence` is the mean over the words, in [0, 1]; captions have 1 and no words.
    """

    span: Span
    text: str
    confidence: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcript:
    """All that was said: segments in order of time, `language` a BCP-47 tag."""

    segments: tuple[Segment, ...]
    language: str


@dataclass(frozen=True, slots=True)
class EmotionSpan:
    """A stretch with one emotion; `probability` and `intensity` in [0, 1].

    `scores` are the probabilities of the emotions that come into question, () when only
    that of `emotion` is known.
    """

    span: Span
    emotion: Emotion
    probability: float
    intensity: float = 0.5
    scores: tuple[tuple[Emotion, float], ...] = ()


@dataclass(frozen=True, slots=True)
class EmotionTimeline:
    """Ordered spans without overlap or gap that cover [0, duration_s)."""

    duration_s: float
    spans: tuple[EmotionSpan, ...]


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Weights or sounds that make a result, and what their licence allows.

    `source` is where they come from, "" when unknown; `licence` an SPDX identifier, a
    name, or "unknown"; `commercial_use` is None when nobody has told; `note` one
    sentence for the user.
    """

    name: str
    source: str
    licence: str
    commercial_use: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What computed a result.

    `revision` changes whenever the same request could give another result;
    `device` is "cpu" or "cuda:N"; `ingredients` are the weights or sounds it works with.
    """

    name: str
    revision: str
    device: str
    ingredients: tuple[Ingredient, ...] = ()
