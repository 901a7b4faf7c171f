"""Timelines that nobody had to classify, and random seeds."""

import pytest

from etbgm_gateway.pipeline.timelines import fitted, neutral, overlaid
from etbgm_kit.errors import InvalidField
from etbgm_kit.seeds import SEED_LIMIT, random_seeds
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span

GIVEN = EmotionTimeline(
    10.0, (EmotionSpan(Span(0, 6), Emotion.JOY, 1.0), EmotionSpan(Span(6, 10), Emotion.FEAR, 1.0))
)


@pytest.mark.parametrize("duration_s", [9.96, 10.0, 10.05])
def test_a_timeline_is_fitted_to_a_video_that_differs_by_a_frame(duration_s: float) -> None:
    timeline = fitted(GIVEN, duration_s, "settings.timeline")
    assert timeline.duration_s == timeline.spans[-1].span.end_s == duration_s
    assert timeline.spans[0] == GIVEN.spans[0]


@pytest.mark.parametrize("duration_s", [9.9, 10.1, 60.0])
def test_a_timeline_of_another_length_is_refused(duration_s: float) -> None:
    with pytest.raises(InvalidField, match=r"settings.timeline: must cover the video, which is \d+"):
        fitted(GIVEN, duration_s, "settings.timeline")


def test_neutral_covers_everything() -> None:
    assert neutral(3.5).spans == (EmotionSpan(Span(0, 3.5), Emotion.NEUTRAL, 1.0),)


def test_random_seeds_follow_the_base_and_wrap_round() -> None:
    assert random_seeds(3, 41, "00") == [41, 42, 43]
    assert random_seeds(2, SEED_LIMIT - 1, "00") == [SEED_LIMIT - 1, 0]


def test_random_seeds_without_a_base_belong_to_the_video() -> None:
    one, same, other = (random_seeds(2, None, text * 32) for text in ("ab", "ab", "cd"))
    assert one == same != other
    assert all(0 <= seed < SEED_LIMIT for seed in one)


def spans(*parts: tuple[float, float, Emotion]) -> tuple[EmotionSpan, ...]:
    return tuple(EmotionSpan(Span(start_s, end_s), emotion, 1.0) for start_s, end_s, emotion in parts)


JOY, FEAR, ANGER = Emotion.JOY, Emotion.FEAR, Emotion.ANGER


@pytest.mark.parametrize(
    ("edits", "expected"),
    [
        ([], [(0, 6, JOY), (6, 10, FEAR)]),
        ([(2, 3, ANGER)], [(0, 2, JOY), (2, 3, ANGER), (3, 6, JOY), (6, 10, FEAR)]),
        ([(5, 7, ANGER)], [(0, 5, JOY), (5, 7, ANGER), (7, 10, FEAR)]),
        ([(0, 10, ANGER)], [(0, 10, ANGER)]),
        ([(0.01, 9.99, ANGER)], [(0, 10, ANGER)]),
        ([(0, 2, ANGER), (2.02, 6, FEAR)], [(0, 2, ANGER), (2, 6, FEAR), (6, 10, FEAR)]),
    ],
)
def test_edits_are_written_over_a_timeline(
    edits: list[tuple[float, float, Emotion]], expected: list[tuple[float, float, Emotion]]
) -> None:
    assert overlaid(GIVEN, spans(*edits), "spans").spans == spans(*expected)


@pytest.mark.parametrize("edits", [[(2, 2, JOY)], [(9, 11, JOY)], [(2, 4, JOY), (3, 5, JOY)]])
def test_edits_outside_or_overlapping_are_refused(edits: list[tuple[float, float, Emotion]]) -> None:
    with pytest.raises(InvalidField, match=r"spans\[[01]\]: must"):
        overlaid(GIVEN, spans(*edits), "spans")
