"""How the voices of phrases become arousal, and how it scales the timeline's intensity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span
from etbgm_sentiment.arousal import arousals, scaled, with_arousal
from etbgm_sentiment.types import Arousal, Phrase, Voice

TIMELINE = EmotionTimeline(
    30.0,
    (
        EmotionSpan(Span(0, 10), Emotion.JOY, 0.9, 0.8),
        EmotionSpan(Span(10, 20), Emotion.ANGER, 0.9, 0.6),
        EmotionSpan(Span(20, 30), Emotion.SADNESS, 0.9, 0.6),
    ),
)

voices = st.lists(
    st.none() | st.builds(Voice, st.floats(-80, 80), st.floats(0.2, 1e5)),
    max_size=20,
)


def phrase(start_s: float, end_s: float) -> Phrase:
    return Phrase(Span(start_s, end_s), "words")


def test_more_tilt_is_more_arousal() -> None:
    values = arousals([Voice(tilt_db, 3.0) for tilt_db in (-13, -10, -7)])
    assert values == pytest.approx((0.29, 0.5, 0.71), abs=0.01)


def test_a_single_phrase_has_no_reference() -> None:
    assert arousals([Voice(3.0, 2.0)]) == (0.5,)
    assert arousals([None, Voice(3.0, 2.0)]) == (None, 0.5)


def test_without_a_voice_nothing_is_known() -> None:
    assert arousals([None, None]) == (None, None)
    assert arousals([]) == ()


def test_long_phrases_decide_what_is_usual() -> None:
    usual, raised = arousals([Voice(-10, 60.0), Voice(-4, 2.0)])
    assert usual == pytest.approx(0.5, abs=0.05)
    assert raised > 0.7


def test_short_phrases_are_trusted_less() -> None:
    _, long, short = arousals([Voice(-10, 60.0), Voice(-4, 3.0), Voice(-4, 0.3)])
    assert 0.5 < short < long


@given(voices)
def test_arousal_stays_in_its_range(some: list[Voice | None]) -> None:
    values = arousals(some)
    assert [value is None for value in values] == [voice is None for voice in some]
    assert all(0 <= value <= 1 for value in values if value is not None)


@pytest.mark.parametrize(
    ("arousal", "intensity"), [(0, 0.3), (0.25, 0.45), (0.5, 0.6), (0.75, 0.75), (1, 0.9)]
)
def test_the_usual_voice_changes_nothing(arousal: float, intensity: float) -> None:
    assert scaled(0.6, arousal) == pytest.approx(intensity)


def test_intensity_stays_in_its_range() -> None:
    assert (scaled(0.9, 1.0), scaled(0.0, 1.0)) == (1, 0)


def test_each_span_takes_the_mean_of_its_phrases_by_duration() -> None:
    phrases = [phrase(0, 1), phrase(4, 7), phrase(10, 12), phrase(15, 18)]
    values: list[Arousal] = [0.9, 0.5, None, 0.25]
    got = with_arousal(TIMELINE, phrases, values)
    assert [part.arousal for part in got.spans] == [pytest.approx(0.6), pytest.approx(0.25), None]
    assert [part.intensity for part in got.spans] == pytest.approx([0.88, 0.45, 0.6])
    assert [part.span for part in got.spans] == [part.span for part in TIMELINE.spans]


def test_a_timeline_without_voices_is_unchanged() -> None:
    assert with_arousal(TIMELINE, [phrase(0, 1)], [None]) == TIMELINE
    assert with_arousal(TIMELINE, [], []) == TIMELINE


def test_a_phrase_without_duration_does_no_harm() -> None:
    got = with_arousal(TIMELINE, [phrase(2, 2)], [0.75])
    assert got.spans[0].arousal == pytest.approx(0.75)
