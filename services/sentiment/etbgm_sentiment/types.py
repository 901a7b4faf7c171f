"""The values of this service."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from etbgm_kit.types import EmotionTimeline, EngineInfo, Span, Transcript

Probabilities = npt.NDArray[np.float32]
"""(phrases, 7) in the order of Emotion, each row summing to 1."""


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
class AnalyzeRequest:
    """What is to be analysed: a transcript inside [0, duration_s) and how to smooth it."""

    transcript: Transcript
    duration_s: float
    smoothing: Smoothing
    min_duration_s: float


@dataclass(frozen=True)
class Analysis:
    """What was said, how it feels, the timeline drawn from it, and what computed it."""

    phrases: tuple[Phrase, ...]
    probabilities: Probabilities
    timeline: EmotionTimeline
    smoothing: Smoothing
    engine: EngineInfo
