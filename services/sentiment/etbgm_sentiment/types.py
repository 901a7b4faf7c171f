"""The values of this service."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from etbgm_kit.types import Artifact, EmotionTimeline, EngineInfo, PictureMood, Span, Transcript

Probabilities = npt.NDArray[np.float32]
"""(phrases, 7) in the order of Emotion; each row sums to 1."""


Arousal = float | None
"""How excited a voice sounds, [0, 1]; 0.5 is as usual, None is unknown."""


class Smoothing(StrEnum):
    """How the emotions of single phrases become a stable timeline."""

    RULE = "rule"
    VITERBI = "viterbi"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sense unit of the transcript: the unit that is classified."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Voice:
    """The voice of a phrase.

    `tilt_db` is the energy at 1 to 4 kHz relative to that at 0.1 to 1 kHz, in dB; `active_s` > 0 is
    for how long the voice sounds.
    """

    tilt_db: float
    active_s: float


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    """A transcript within [0, duration_s), how to smooth its emotions, and what else is known.

    That is the speech stem, the mood of the picture, and where someone speaks.
    """

    transcript: Transcript
    duration_s: float
    smoothing: Smoothing
    min_duration_s: float
    speech: Artifact | None = None
    picture: PictureMood | None = None
    speech_spans: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Analysis:
    """The phrases, their probabilities and arousal, the timeline, and the method and engine behind it."""

    phrases: tuple[Phrase, ...]
    probabilities: Probabilities
    arousals: tuple[Arousal, ...]
    timeline: EmotionTimeline
    smoothing: Smoothing
    engine: EngineInfo
