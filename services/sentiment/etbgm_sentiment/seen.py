"""What the picture says about the emotion: weak evidence, for where nobody speaks.

Each second of the picture has a place in the plane of valence and arousal (Russell 1980). The emotions that a
picture can suggest without being understood have places there, too; the nearer, the more likely. Anger and
disgust have none: no light, motion or rhythm of cuts tells them from fear or joy.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Evidence, PictureMood, Span
from etbgm_sentiment.types import Probabilities

PLACES = {
    Emotion.FEAR: (-0.7, 0.5),
    Emotion.JOY: (0.6, 0.45),
    Emotion.NEUTRAL: (0.1, -0.15),
    Emotion.SADNESS: (-0.6, -0.6),
    Emotion.SURPRISE: (0.2, 0.9),
}
"""Valence and arousal of emotions, each [-1, 1], after the circle of Russell (1980). A usual video is
neutral; its motion and its cuts are calmer than the middle of all videos, its light a little brighter."""

SPREAD = 0.35
"""Standard deviation of pictures about the place of their emotion."""

NEUTRAL = 0.15
"""Share of the probability that is neutral's whatever is seen: light and motion are weak evidence."""

PAUSE_S = 8.0
"""Shortest time without speech in which the picture decides: others belong to what was said before."""

WEIGHT = 0.5
"""Weight of a second of picture, relative to a second of speech."""

INTENSITY = 0.5
"""How much the arousal of a span, relative to that of the whole video, changes its intensity."""

_EMOTIONS = tuple(Emotion)


def probabilities_of(mood: PictureMood) -> Probabilities:
    """Returns the probabilities of the emotions in each second of the mood, (seconds, 7)."""
    at = np.stack([np.array(mood.valence), np.array(mood.arousal)], axis=1)
    places = np.array([PLACES.get(emotion, (np.inf, np.inf)) for emotion in _EMOTIONS])
    near = np.exp(-np.square(at[:, None] - places).sum(2) / (2 * SPREAD**2))
    shares = near / np.maximum(near.sum(1, keepdims=True), 1e-12)
    neutral = np.eye(len(_EMOTIONS))[_EMOTIONS.index(Emotion.NEUTRAL)]
    certainty = (1 - NEUTRAL) * np.array(mood.certainty)[:, None]
    found: Probabilities = (certainty * shares + (1 - certainty) * neutral).astype(np.float32)
    return found


def pauses(
    spans: Sequence[Span], speech_spans: Sequence[Span], duration_s: float, seconds: int
) -> list[tuple[float, int]]:
    """Returns the seconds in which the picture decides: their starts in seconds, and their numbers.

    These are the whole seconds inside the pauses of at least PAUSE_S between phrases and speech.
    """
    edge_s = 0.0
    found: list[tuple[float, int]] = []
    for span in [*sorted([*spans, *speech_spans]), Span(duration_s, duration_s)]:
        if span.start_s - edge_s >= min(PAUSE_S, duration_s):
            first, end = int(np.ceil(edge_s)), int(np.floor(span.start_s))
            found += [(float(number), number) for number in range(first, min(end, seconds))]
        edge_s = max(edge_s, span.end_s)
    return found


def with_picture(timeline: EmotionTimeline, mood: PictureMood) -> EmotionTimeline:
    """Returns `timeline` with the intensity of each span scaled by how excited the picture is in it.

    That is relative to the whole video, as for the voice: a video with one span stays as it is.
    """
    arousal = np.array(mood.arousal)
    if not len(arousal) or len(timeline.spans) == 1:
        return timeline
    usual = float(np.median(arousal))
    return EmotionTimeline(
        timeline.duration_s, tuple(_scaled(span, arousal, usual) for span in timeline.spans)
    )


def _scaled(part: EmotionSpan, arousal: npt.NDArray[np.float64], usual: float) -> EmotionSpan:
    first = min(int(part.span.start_s), len(arousal) - 1)
    excess = float(arousal[first : max(first + 1, int(part.span.end_s))].mean()) - usual
    factor = 1 + INTENSITY * excess
    evidence = tuple(dict.fromkeys((*part.evidence, Evidence.PICTURE)))
    return replace(part, intensity=min(1.0, max(0.0, part.intensity * factor)), evidence=evidence)
