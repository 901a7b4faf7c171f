"""Emotion timelines that need no classification."""

from dataclasses import replace

from etbgm_kit.converters import TIME_TOLERANCE_S
from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span

FIT_TOLERANCE_S = 0.05
"""How far the end of a given timeline may be from the video's end: more than a frame of 24 Hz video."""


def neutral(duration_s: float) -> EmotionTimeline:
    """Returns one neutral span over the whole duration."""
    return EmotionTimeline(duration_s, (EmotionSpan(Span(0.0, duration_s), Emotion.NEUTRAL, 1.0),))


def fitted(timeline: EmotionTimeline, duration_s: float, field: str) -> EmotionTimeline:
    """Returns `timeline` with its last span ending at `duration_s`.

    Raises InvalidField (naming `field`) if it ends more than FIT_TOLERANCE_S before or after that.
    """
    *others, last = timeline.spans
    missing_s = abs(timeline.duration_s - duration_s)
    if missing_s > FIT_TOLERANCE_S + TIME_TOLERANCE_S or last.span.start_s >= duration_s:
        raise InvalidField(
            field, f"must cover the video, which is {duration_s:.3f} s long, not {timeline.duration_s:.3f} s"
        )
    end = replace(last, span=Span(last.span.start_s, duration_s))
    return EmotionTimeline(duration_s, (*others, end))
