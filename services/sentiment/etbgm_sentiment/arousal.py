"""How excited the voice sounds: words tell what, the voice tells how much.

Each phrase's voice is compared with the median of the same video, because voices,
microphones and rooms differ more than emotions do. There is one median for all speakers
of a video: it is not known who speaks.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from etbgm_kit.types import EmotionSpan, EmotionTimeline, Evidence
from etbgm_sentiment.types import Arousal, Phrase, Voice

USUAL = 0.5
"""Arousal of the usual voice; it leaves the intensity unchanged."""

DB_PER_UNIT = 2.5
"""Tilt above the median, in dB, at which the arousal is 1 / (1 + 1/e) = 0.73.

Joy and anger are 3 dB above the median and sadness 3 dB below it, on average; the sentences of a
neutral narrator have a standard deviation of 1.8 dB.
"""

TRUST_S = 1.0
"""Duration of voice at which a phrase's distance from the median counts half.

Sounds differ more than emotions: parts of 1 s of the same emotion have a standard deviation of
3.3 dB, as large as the effect of the emotion, and longer phrases average over more sounds.
"""


def arousals(voices: Sequence[Voice | None]) -> tuple[Arousal, ...]:
    """Returns the arousal of each phrase, [0, 1]; None where the voice is unknown.

    A single phrase has nothing to be compared with, so its arousal is USUAL.
    """
    heard = [voice for voice in voices if voice]
    if not heard:
        return (None,) * len(voices)
    median_db = _median(
        np.array([voice.tilt_db for voice in heard]), np.array([voice.active_s for voice in heard])
    )
    return tuple(_arousal(voice, median_db) if voice else None for voice in voices)


def with_arousal(
    timeline: EmotionTimeline, phrases: Sequence[Phrase], values: Sequence[Arousal]
) -> EmotionTimeline:
    """Returns `timeline` with the arousal of each span, and its intensity scaled by it.

    A span's arousal is the mean over its phrases, weighted by their duration.
    Spans without a known voice stay as they are.
    """
    starts_s = [part.span.start_s for part in timeline.spans]
    middles_s = [(phrase.span.start_s + phrase.span.end_s) / 2 for phrase in phrases]
    places = np.searchsorted(starts_s, middles_s, side="right") - 1
    sums = np.zeros((len(starts_s), 2))
    for place, phrase, value in zip(places, phrases, values, strict=True):
        if value is not None:
            sums[place] += np.array([value, 1.0]) * max(phrase.span.duration_s, 1e-3)
    spans = [
        _scaled(part, float(total / weight)) if weight else part
        for part, (total, weight) in zip(timeline.spans, sums, strict=True)
    ]
    return EmotionTimeline(timeline.duration_s, tuple(spans))


def scaled(intensity: float, arousal: float) -> float:
    """Returns `intensity` times (0.5 + `arousal`), at most 1.

    It is unchanged for the usual voice, and between half and one and a half times as high for others.
    """
    return min(1.0, intensity * (1 - USUAL + arousal))


def _scaled(part: EmotionSpan, arousal: float) -> EmotionSpan:
    arousal = min(1.0, arousal)
    evidence = tuple(dict.fromkeys((*part.evidence, Evidence.VOICE)))
    return replace(part, intensity=scaled(part.intensity, arousal), arousal=arousal, evidence=evidence)


def _arousal(voice: Voice, median_db: float) -> float:
    trust = voice.active_s / (voice.active_s + TRUST_S)
    return float(1 / (1 + np.exp(-trust * (voice.tilt_db - median_db) / DB_PER_UNIT)))


def _median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    """Returns the median of (n,) values, weighted and interpolated; n >= 1, weights > 0."""
    order = np.argsort(values)
    middles = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(weights.sum() / 2, middles, values[order]))
