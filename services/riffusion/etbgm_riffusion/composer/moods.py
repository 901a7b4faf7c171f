"""The musical means of one span: its emotion's row, mixed and scaled.

If the classifier is unsure, the means lie between those of the emotions in question, weighted by their
probabilities; the remainder counts as neutral. Intensity scales the distance from neutral, so arousal
grows with it continuously. This follows dimensional accounts of emotion, in which every state is a point
on a plane (Russell 1980).
"""

from collections.abc import Iterable
from dataclasses import fields

from etbgm_kit.types import Emotion, EmotionSpan
from etbgm_riffusion.composer.profiles import PROFILES, Means

SURE = 0.75
"""Probability from which the emotion is fully expressed: calibrated classifiers of seven emotions in
speech rarely return more."""

_LEAST_SHARE = 0.5
"""Minimum share of a span's own emotion, however unsure the classifier is."""

_SCALE = (0.7, 1.3)
"""Distance from neutral at intensity 0 and 1, relative to the row's."""

_WISH = {"tempo": 0.12, "level_db": 0.5, "velocity": 12, "density": 0.4, "drive": 1.0}
"""Change that a requested unit of arousal adds (`hints`)."""


def mood(span: EmotionSpan, wished_arousal: float = 0.0) -> Means:
    """Returns the means for `span`; `wished_arousal` in [-1, 1] calms or excites the whole piece."""
    low, high = _SCALE
    scale = low + (high - low) * span.intensity
    shares = dict(_shares(span))
    neutral = PROFILES[Emotion.NEUTRAL].means
    values = {}
    for name in (field.name for field in fields(Means)):
        middle = getattr(neutral, name)
        rows = ((getattr(PROFILES[emotion].means, name), share) for emotion, share in shares.items())
        distance = sum(share * (value - middle) for value, share in rows)
        values[name] = middle + scale * distance + wished_arousal * _WISH.get(name, 0.0)
    return _bounded(Means(**values))


def _shares(span: EmotionSpan) -> Iterable[tuple[Emotion, float]]:
    """Yields emotions and their shares, at most 1 in total; the rest is neutral."""
    own = max(_LEAST_SHARE, min(1.0, span.probability / SURE))
    others = [(emotion, score) for emotion, score in span.scores if emotion != span.emotion]
    total = sum(score for _, score in others) + max(0.0, 1 - span.probability - sum(s for _, s in others))
    yield span.emotion, own
    for emotion, score in others:
        yield emotion, (1 - own) * score / total if total else 0.0


def _bounded(means: Means) -> Means:
    limits = {
        "tempo": (0.6, 1.6),
        "velocity": (45, 118),
        "density": (0.4, 4.0),
        "articulation": (0.35, 1.0),
        "drive": (0.0, 3.0),
        "lead": (0.2, 1.0),
    }
    values = {field.name: getattr(means, field.name) for field in fields(Means)}
    return Means(**values | {name: min(high, max(low, values[name])) for name, (low, high) in limits.items()})


def distance(one: Means, other: Means) -> float:
    """Returns the distance of two moods on the valence-arousal plane, 0 to about 2."""
    return float(((one.valence - other.valence) ** 2 + (one.arousal - other.arousal) ** 2) ** 0.5)
