"""Smooths the emotions of single phrases to a stable emotion timeline.

The timeline is divided into cells. Each cell is a phrase with the pause after it, so an
emotion starts with its first phrase. Time before the first phrase belongs to that phrase.
A pause of LONG_PAUSE_S or more is a separate cell whose evidence favours neutral. A method
assigns an emotion to every cell; adjacent cells with the same emotion form one span.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Evidence, Span
from etbgm_sentiment.types import Probabilities, Smoothing

MIN_EMOTION_DURATION_S = 5.0
"""Shortest span of one emotion, as in the original: music needs time to be perceived."""

SWITCHING_COST = 3.5
"""Gain in log-probability times seconds that a change of emotion requires.

The smallest of 0, 0.5, 1, ... with no more switches than `rule` on MELD's training part.
"""

LONG_PAUSE_S = 30.0
"""Shortest silence after which the last emotion counts as over."""

TOLERANCE_S = 1e-6
"""Times closer than this count as equal: they arrive as nanoseconds and are added as floats."""

_EMOTIONS = tuple(Emotion)
_NEUTRAL = _EMOTIONS.index(Emotion.NEUTRAL)
_SILENCE = np.where(np.arange(len(_EMOTIONS)) == _NEUTRAL, 0.5, 0.5 / (len(_EMOTIONS) - 1))
"""Probabilities of a silent cell: neutral is as likely as all other emotions together."""

_LEAST_SCORE = 0.05
"""Less likely emotions are left out of a span's scores."""

_FLOOR = 1e-6
"""Lowest probability: a single certain phrase must not rule out an emotion entirely."""

Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Cells:
    """`edges_s` (n + 1,) rise from 0 to the duration; `probabilities` (n, 7); `weights_s` (n,) >= 0.

    A cell's weight is the duration of its evidence: the phrase without its pause.
    """

    edges_s: npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float64]
    weights_s: npt.NDArray[np.float64]
    evidence: tuple[Evidence | None, ...]
    """What each cell's probabilities follow from; None for silence."""


@dataclass(frozen=True)
class Seen:
    """Whole seconds in which the picture decides: their starts (m,) in order, and `probabilities` (m, 7)."""

    starts_s: Sequence[float]
    probabilities: Probabilities
    weight: float


NOTHING_SEEN = Seen((), np.zeros((0, len(Emotion)), np.float32), 0.0)


def smooth(
    spans: Sequence[Span],
    probabilities: Probabilities,
    duration_s: float,
    method: Smoothing,
    min_duration_s: float = MIN_EMOTION_DURATION_S,
    seen: Seen = NOTHING_SEEN,
) -> EmotionTimeline:
    """Returns the timeline over [0, duration_s) of phrases at `spans` with `probabilities` (n, 7).

    Between phrases, it follows what is `seen`.

    No span is shorter than `min_duration_s` unless the whole timeline is.

    Raises:
        ValueError: the spans overlap, are out of order, or exceed [0, duration_s).
    """
    cells = cut(spans, probabilities, duration_s, seen)
    return draw(cells, _METHODS[method](cells, min_duration_s))


def cut(
    spans: Sequence[Span], probabilities: Probabilities, duration_s: float, seen: Seen = NOTHING_SEEN
) -> Cells:
    """Returns cells that cover [0, duration_s): one silent cell if there is nothing else."""
    parts: list[_Part] = []
    end_s = 0.0
    looks = list(zip(seen.starts_s, seen.probabilities, strict=True))[::-1]
    for span, row in zip(spans, probabilities, strict=True):
        start_s, after_s = (min(max(time_s, end_s), duration_s) for time_s in (span.start_s, span.end_s))
        if max(abs(start_s - span.start_s), abs(after_s - span.end_s)) > TOLERANCE_S:
            raise ValueError(f"phrase at {span} does not fit in [{end_s}, {duration_s})")
        parts += _between(end_s, start_s, looks, seen.weight)
        parts.append((start_s, row, after_s - start_s, Evidence.WORDS))
        end_s = after_s
    parts += _between(end_s, duration_s, looks, seen.weight) or ([] if parts else [_silence(0.0, duration_s)])
    starts_s, rows, weights_s, evidence = zip(*parts, strict=True)
    edges_s = np.array([0.0, *starts_s[1:], duration_s])
    return Cells(edges_s, np.array(rows, np.float64), np.array(weights_s), evidence)


def _between(
    start_s: float, end_s: float, looks: list[tuple[float, npt.ArrayLike]], weight: float
) -> list["_Part"]:
    """Returns the cells of a pause: what is seen in it, taken from the end of `looks`, or else silence."""
    parts: list[_Part] = []
    while looks and looks[-1][0] < end_s - TOLERANCE_S:
        at_s, row = looks.pop()
        parts.append((at_s, row, weight, Evidence.PICTURE))
    silent = not parts and end_s - start_s >= LONG_PAUSE_S
    return [_silence(start_s, end_s)] if silent else parts


def _silence(start_s: float, end_s: float) -> "_Part":
    return start_s, _SILENCE, end_s - start_s, None


_Part = tuple[float, npt.ArrayLike, float, Evidence | None]


def rule(cells: Cells, min_duration_s: float) -> Numbers:
    """Applies the original's rule: returns each cell's likeliest emotion, (n,), unless it is too short.

    The rule ignores runs of one emotion shorter than `min_duration_s`. The emotion before
    such a gap continues through it, so a gap between equal emotions is filled. A gap at the
    start takes the emotion after it. If no run is long enough, everything is neutral.
    """
    min_duration_s = min(min_duration_s, cells.edges_s[-1]) - TOLERANCE_S
    emotions = cells.probabilities.argmax(1)
    starts = np.flatnonzero(np.diff(emotions, prepend=-1))
    durations_s = np.diff(cells.edges_s[[*starts, -1]])
    lasting = np.repeat(durations_s >= min_duration_s, np.diff([*starts, len(emotions)]))
    if not lasting.any():
        return np.full_like(emotions, _NEUTRAL)
    before = np.maximum.accumulate(np.where(lasting, np.arange(len(emotions)), -1))
    return np.take(emotions, np.where(before < 0, lasting.argmax(), before))


def viterbi(cells: Cells, min_duration_s: float, switching_cost: float = SWITCHING_COST) -> Numbers:
    """Returns the best emotion numbers (n,) under a minimum duration: exact, in O(7 n).

    Maximises the sum over cells of weight times log-probability, minus `switching_cost` for
    each change, over all assignments in which each run of one emotion lasts at least
    `min_duration_s` (semi-Markov; Yu, "Hidden semi-Markov models", Artificial Intelligence
    174, 2010). The duration has only a lower bound, so the usual search over durations is
    unnecessary: the best start of a run that may end at an edge is a running maximum.
    """
    min_duration_s = min(min_duration_s, cells.edges_s[-1]) - TOLERANCE_S
    logs = cells.weights_s[:, None] * np.log(np.maximum(cells.probabilities, _FLOOR))
    gains = np.vstack([np.zeros(logs.shape[1]), np.cumsum(logs, 0)])
    count = len(logs)
    best = np.full(count + 1, -np.inf)
    last = np.zeros(count + 1, np.intp)
    begun = np.zeros(count + 1, np.intp)
    best[0] = switching_cost
    open_gain = np.full(logs.shape[1], -np.inf)
    open_from = np.zeros(logs.shape[1], np.intp)
    start = 0
    for end in range(1, count + 1):
        while start < end and cells.edges_s[end] - cells.edges_s[start] >= min_duration_s:
            gain = best[start] - switching_cost - gains[start]
            open_from = np.where(gain > open_gain, start, open_from)
            open_gain = np.maximum(gain, open_gain)
            start += 1
        total = open_gain + gains[end]
        last[end] = total.argmax()
        best[end], begun[end] = total[last[end]], open_from[last[end]]
    return _trace(last, begun)


def draw(cells: Cells, emotions: Numbers) -> EmotionTimeline:
    """Returns the timeline of cells with `emotions` (n,).

    A span's probabilities are the weighted means over its cells. Its intensity is the position
    of its emotion's probability between chance (1/7) and certainty, so that the music expresses
    only as much as is known.
    """
    starts = np.flatnonzero(np.diff(emotions, prepend=-1))
    spans = []
    for first, end in itertools.pairwise([*starts, len(emotions)]):
        weights = cells.weights_s[first:end]
        means = np.average(cells.probabilities[first:end], 0, weights if weights.any() else None)
        probability = min(1.0, float(means[emotions[first]]))
        intensity = max(0.0, (probability * len(_EMOTIONS) - 1) / (len(_EMOTIONS) - 1))
        span = Span(float(cells.edges_s[first]), float(cells.edges_s[end]))
        emotion = _EMOTIONS[emotions[first]]
        evidence = tuple(one for one in Evidence if one in cells.evidence[first:end])
        spans.append(EmotionSpan(span, emotion, probability, intensity, _scores(means), None, evidence))
    return EmotionTimeline(float(cells.edges_s[-1]), tuple(spans))


def _scores(means: npt.NDArray[np.float64]) -> tuple[tuple[Emotion, float], ...]:
    """Returns the sufficiently likely emotions, likeliest first."""
    order = np.argsort(-means, kind="stable")
    return tuple((_EMOTIONS[i], min(1.0, float(means[i]))) for i in order if means[i] >= _LEAST_SCORE)


def _trace(last: Numbers, begun: Numbers) -> Numbers:
    emotions = np.zeros(len(last) - 1, np.intp)
    end = len(emotions)
    while end > 0:
        emotions[begun[end] : end] = last[end]
        end = begun[end]
    return emotions


_METHODS: dict[Smoothing, Callable[[Cells, float], Numbers]] = {
    Smoothing.RULE: rule,
    Smoothing.VITERBI: viterbi,
}
