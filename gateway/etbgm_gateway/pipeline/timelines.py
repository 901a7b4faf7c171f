"""Emotion timelines that need no classification."""

from collections.abc import Sequence
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


def overlaid(timeline: EmotionTimeline, edits: Sequence[EmotionSpan], field: str) -> EmotionTimeline:
    """Returns `timeline` with `edits` in place of what it has there.

    What remains of a span keeps its emotion, unless it is shorter than FIT_TOLERANCE_S: it then belongs to
    the edit beside it. Raises InvalidField (naming `field`) unless the edits are ordered, without overlap
    and within the timeline.
    """
    edge_s = 0.0
    for i, edit in enumerate(edits):
        if not edge_s - TIME_TOLERANCE_S <= edit.span.start_s < edit.span.end_s:
            raise InvalidField(f"{field}[{i}]", f"must start at {edge_s:.3f} s or later, and not be empty")
        edge_s = edit.span.end_s
        if edge_s > timeline.duration_s + FIT_TOLERANCE_S:
            raise InvalidField(f"{field}[{i}]", f"must end at {timeline.duration_s:.3f} s at the latest")
    spans: list[EmotionSpan] = []
    at_s = 0.0
    for edit in edits:
        start_s = at_s if edit.span.start_s - at_s < FIT_TOLERANCE_S else edit.span.start_s
        end_s = min(edit.span.end_s, timeline.duration_s)
        end_s = timeline.duration_s if timeline.duration_s - end_s < FIT_TOLERANCE_S else end_s
        spans += [*_between(timeline, at_s, start_s), replace(edit, span=Span(start_s, end_s))]
        at_s = end_s
    return EmotionTimeline(timeline.duration_s, (*spans, *_between(timeline, at_s, timeline.duration_s)))


def _between(timeline: EmotionTimeline, start_s: float, end_s: float) -> list[EmotionSpan]:
    """Returns the spans of [start_s, end_s), cut to it."""
    cut = [
        replace(one, span=Span(max(start_s, one.span.start_s), min(end_s, one.span.end_s)))
        for one in timeline.spans
        if one.span.start_s < end_s and start_s < one.span.end_s
    ]
    return [one for one in cut if one.span.duration_s > 0]
