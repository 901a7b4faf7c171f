"""Cutting the music into cues."""

import itertools
import time

from hypothesis import given
from hypothesis import strategies as st

from etbgm_gateway.pipeline.cues import LONGEST_S, SHORTEST_S, split
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span


def timeline(*lengths_s: float) -> EmotionTimeline:
    edges = [0.0, *itertools.accumulate(lengths_s)]
    spans = [EmotionSpan(Span(a, b), Emotion.JOY, 1.0) for a, b in itertools.pairwise(edges)]
    return EmotionTimeline(edges[-1], tuple(spans))


def test_a_short_video_is_one_cue() -> None:
    assert split(timeline(20, 40, 60)) == (Span(0, 120),)


def test_cuts_fall_on_changes_of_emotion_where_one_is_near() -> None:
    assert split(timeline(30, 70, 150)) == (Span(0, 100), Span(100, 190), Span(190, 250))


@given(st.lists(st.floats(0.5, 400), min_size=1, max_size=30))
def test_cues_cover_the_video_in_bearable_lengths(lengths_s: list[float]) -> None:
    whole = timeline(*lengths_s)
    cues = split(whole)
    assert (cues[0].start_s, cues[-1].end_s) == (0, whole.duration_s)
    assert all(a.end_s == b.start_s for a, b in itertools.pairwise(cues))
    assert all(SHORTEST_S - 1e-6 <= cue.duration_s <= LONGEST_S + 1e-6 for cue in cues[:-1])
    assert 0 < cues[-1].duration_s <= LONGEST_S


def test_a_long_timeline_is_split_in_linear_time() -> None:
    day = timeline(*[8.64] * 10_000)
    started = time.process_time()
    assert len(split(day)) > 700
    assert time.process_time() - started < 0.2
