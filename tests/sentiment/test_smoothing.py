"""Smoothing: invariants of both methods, exactness of Viterbi, places of the boundaries."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etbgm_kit.types import Emotion, EmotionTimeline, Span
from etbgm_sentiment.smoothing import LONG_PAUSE_S, TOLERANCE_S, Cells, cut, rule, smooth, viterbi
from etbgm_sentiment.types import Probabilities, Smoothing

EMOTIONS = tuple(Emotion)


def one_hot(*emotions: Emotion, probability: float = 0.88) -> Probabilities:
    """One row for each emotion, the rest shared by the other six."""
    rows = np.full((len(emotions), 7), (1 - probability) / 6, np.float32)
    for row, emotion in zip(rows, emotions, strict=True):
        row[EMOTIONS.index(emotion)] = probability
    return rows


def drawn(timeline: EmotionTimeline) -> list[tuple[float, float, Emotion]]:
    return [(part.span.start_s, part.span.end_s, part.emotion) for part in timeline.spans]


@st.composite
def phrased(draw: st.DrawFn, most: int = 7) -> tuple[list[Span], Probabilities, float]:
    """Phrases at random places with random probabilities, and the video's duration."""
    count = draw(st.integers(0, most))
    lengths = draw(st.lists(st.integers(0, 60), min_size=2 * count + 1, max_size=2 * count + 1))
    edges = list(itertools.accumulate((length / 8 for length in lengths), initial=0.0))
    spans = [Span(edges[2 * i + 1], edges[2 * i + 2]) for i in range(count)]
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    probabilities = random.dirichlet(np.full(7, 0.4), count).astype(np.float32)
    return spans, probabilities, edges[-1] + 0.5


@given(phrased(most=30), st.sampled_from(Smoothing), st.sampled_from([0.5, 5.0, 20.0]))
def test_timeline_covers_everything_and_nothing_is_too_short(
    case: tuple[list[Span], Probabilities, float], method: Smoothing, min_duration_s: float
) -> None:
    spans, probabilities, duration_s = case
    timeline = smooth(spans, probabilities, duration_s, method, min_duration_s)
    parts = timeline.spans
    assert parts[0].span.start_s == 0
    assert parts[-1].span.end_s == duration_s == timeline.duration_s
    for one, after in itertools.pairwise(parts):
        assert one.span.end_s == after.span.start_s
        assert one.emotion != after.emotion
    for part in parts:
        assert part.span.duration_s >= min(min_duration_s, duration_s) - TOLERANCE_S
        assert 0 <= part.intensity <= part.probability <= 1
        scores = [score for _, score in part.scores]
        assert scores == sorted(scores, reverse=True)
        assert min(scores) >= 0.05
        assert sum(scores) <= 1 + 1e-6
        assert dict(part.scores).get(part.emotion, part.probability) == part.probability


def worth(cells: Cells, emotions: tuple[int, ...], cost: float) -> float:
    gains = cells.weights_s * np.log(np.maximum(cells.probabilities[range(len(emotions)), emotions], 1e-6))
    return float(gains.sum() - cost * sum(a != b for a, b in itertools.pairwise(emotions)))


def lasts(cells: Cells, emotions: tuple[int, ...], min_duration_s: float) -> bool:
    starts = [0, *(i for i in range(1, len(emotions)) if emotions[i] != emotions[i - 1]), len(emotions)]
    return all(
        cells.edges_s[b] - cells.edges_s[a] >= min_duration_s - TOLERANCE_S
        for a, b in itertools.pairwise(starts)
    )


@given(phrased(most=5), st.sampled_from([0.5, 3.0, 8.0]), st.sampled_from([0.0, 1.0, 6.0]))
@settings(max_examples=40, deadline=None)
def test_viterbi_finds_what_trying_everything_finds(
    case: tuple[list[Span], Probabilities, float], min_duration_s: float, cost: float
) -> None:
    spans, probabilities, duration_s = case
    cells = cut(spans, probabilities[:, :], duration_s)
    min_duration_s = min(min_duration_s, duration_s)
    found = tuple(int(emotion) for emotion in viterbi(cells, min_duration_s, cost))
    count = len(cells.weights_s)
    likely = np.unique(np.argsort(cells.probabilities, 1)[:, -4:]) if count > 4 else range(7)
    allowed = (
        emotions
        for emotions in itertools.product(likely, repeat=count)
        if lasts(cells, emotions, min_duration_s)
    )
    best = max(worth(cells, emotions, cost) for emotions in allowed)
    assert lasts(cells, found, min_duration_s)
    assert worth(cells, found, cost) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("method", Smoothing)
def test_an_emotion_begins_where_its_first_phrase_begins(method: Smoothing) -> None:
    spans = [Span(2, 5), Span(6, 10), Span(14, 18), Span(18.5, 22)]
    probabilities = one_hot(Emotion.JOY, Emotion.JOY, Emotion.SADNESS, Emotion.SADNESS)
    timeline = smooth(spans, probabilities, 25, method)
    assert drawn(timeline) == [(0, 14, Emotion.JOY), (14, 25, Emotion.SADNESS)]
    assert timeline.spans[0].probability == pytest.approx(0.88)
    assert timeline.spans[0].intensity == pytest.approx((0.88 - 1 / 7) / (6 / 7))


@pytest.mark.parametrize("method", Smoothing)
def test_a_short_emotion_between_equal_ones_is_filled_with_them(method: Smoothing) -> None:
    spans = [Span(0, 6), Span(6, 9), Span(9, 15)]
    timeline = smooth(spans, one_hot(Emotion.JOY, Emotion.ANGER, Emotion.JOY), 15, method)
    assert drawn(timeline) == [(0, 15, Emotion.JOY)]


@pytest.mark.parametrize("method", Smoothing)
def test_a_long_silence_is_neutral_and_a_pause_is_not(method: Smoothing) -> None:
    spans = [Span(0, 8), Span(20, 28)]
    timeline = smooth(spans, one_hot(Emotion.FEAR, Emotion.JOY), 28 + LONG_PAUSE_S, method)
    end_s = 28 + LONG_PAUSE_S
    assert drawn(timeline) == [(0, 20, Emotion.FEAR), (20, 28, Emotion.JOY), (28, end_s, Emotion.NEUTRAL)]


@pytest.mark.parametrize("method", Smoothing)
def test_without_phrases_all_is_neutral(method: Smoothing) -> None:
    timeline = smooth([], np.zeros((0, 7), np.float32), 12, method)
    assert drawn(timeline) == [(0, 12, Emotion.NEUTRAL)]
    assert 0 < timeline.spans[0].probability < 1


def test_scores_are_means_by_the_time_heard() -> None:
    rows = one_hot(Emotion.JOY, Emotion.FEAR, probability=0.94)
    timeline = smooth([Span(0, 6), Span(6, 8)], rows, 10, Smoothing.VITERBI)
    ((joy, first), (fear, second)) = timeline.spans[0].scores
    assert (joy, fear) == (Emotion.JOY, Emotion.FEAR)
    assert (first, second) == pytest.approx((0.94 * 0.75 + 0.01 * 0.25, 0.94 * 0.25 + 0.01 * 0.75))


def test_a_video_shorter_than_the_minimum_has_one_emotion() -> None:
    timeline = smooth([Span(0, 1), Span(1, 3)], one_hot(Emotion.JOY, Emotion.FEAR), 3, Smoothing.VITERBI)
    assert drawn(timeline) == [(0, 3, Emotion.FEAR)]


@pytest.mark.parametrize("spans", [[Span(0, 11)], [Span(0, 2), Span(1, 3)], [Span(4, 5), Span(1, 2)]])
def test_phrases_outside_the_video_or_out_of_order_are_refused(spans: list[Span]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        smooth(spans, one_hot(*[Emotion.JOY] * len(spans)), 10, Smoothing.VITERBI)


def test_rounded_times_are_taken() -> None:
    spans = [Span(0, 5 + 1e-9), Span(5, 10 + 1e-9)]
    timeline = smooth(spans, one_hot(Emotion.JOY, Emotion.FEAR), 10, Smoothing.VITERBI)
    assert [span.span.end_s for span in timeline.spans] == [5 + 1e-9, 10]


def test_rule_gives_the_first_gap_to_what_follows() -> None:
    cells = cut([Span(0, 2), Span(2, 9)], one_hot(Emotion.ANGER, Emotion.JOY), 9)
    assert [EMOTIONS[i] for i in rule(cells, 5.0)] == [Emotion.JOY, Emotion.JOY]


def test_viterbi_keeps_up_with_two_hours() -> None:
    random = np.random.default_rng(1)
    starts_s = np.arange(3000) * 2.4
    spans = [Span(start_s, start_s + 2) for start_s in starts_s]
    begin = time.perf_counter()
    smooth(spans, random.dirichlet(np.ones(7), 3000).astype(np.float32), 7200, Smoothing.VITERBI)
    assert time.perf_counter() - begin < 1
