"""Scores classifiers and timelines on labelled rows and dialogues."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from etbgm_kit.types import Emotion, EmotionTimeline, Span
from etbgm_sentiment.classifier import Classifier
from etbgm_sentiment.goemotions import Row
from etbgm_sentiment.meld import Dialogue
from etbgm_sentiment.metrics import Scores, score
from etbgm_sentiment.phrases import phrases
from etbgm_sentiment.smoothing import Cells, Numbers, cut, draw

_EMOTIONS = tuple(Emotion)
Method = Callable[[Cells], Numbers]
"""Maps cells to one emotion number each."""


@dataclass(frozen=True)
class TimelineScores:
    """Scores weighted by the duration of the labelled segments, and changes of emotion per minute."""

    macro_f1: float
    accuracy: float
    switches_per_minute: float


def score_rows(classifier: Classifier, texts: Sequence[str], rows: Sequence[Row]) -> Scores:
    """Scores the likeliest emotions of `texts` against the single-label rows that they come from."""
    predicted = classifier.classify(texts).argmax(1)
    truth = np.array([_EMOTIONS.index(row.emotions[0]) for row in rows])
    return score(truth, predicted)


def unsmoothed(cells: Cells) -> Numbers:
    """Returns each cell's likeliest emotion: the reference that smoothing must beat."""
    likeliest: Numbers = cells.probabilities.argmax(1)
    return likeliest


def classified(classifier: Classifier, dialogues: Sequence[Dialogue]) -> list[Cells]:
    """Returns each dialogue's phrases with their probabilities, ready for smoothing."""
    cells = []
    for dialogue in dialogues:
        parts = phrases(dialogue.transcript)
        probabilities = classifier.classify([part.text for part in parts])
        cells.append(cut([part.span for part in parts], probabilities, dialogue.duration_s))
    return cells


def score_timelines(dialogues: Sequence[Dialogue], cells: Sequence[Cells], method: Method) -> TimelineScores:
    """Scores the timelines that `method` produces over all dialogues."""
    timelines = [draw(part, method(part)) for part in cells]
    compared = [row for pair in zip(dialogues, timelines, strict=True) for row in _compared(*pair)]
    truth, predicted, seconds = (np.array(column) for column in zip(*compared, strict=True))
    scores = score(truth, predicted, seconds)
    switches = sum(len(timeline.spans) - 1 for timeline in timelines)
    minutes = sum(timeline.duration_s for timeline in timelines) / 60
    return TimelineScores(scores.macro_f1, scores.accuracy, switches / minutes)


def _compared(dialogue: Dialogue, timeline: EmotionTimeline) -> list[tuple[int, int, float]]:
    """Returns (true emotion, drawn emotion, seconds) for each overlap of a segment and a timeline span."""
    return [
        (_EMOTIONS.index(emotion), _EMOTIONS.index(part.emotion), overlap_s)
        for segment, emotion in zip(dialogue.transcript.segments, dialogue.emotions, strict=True)
        for part in timeline.spans
        if (overlap_s := _overlap_s(segment.span, part.span)) > 0
    ]


def _overlap_s(one: Span, other: Span) -> float:
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
