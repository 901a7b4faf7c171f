"""What the picture says about the emotion."""

import numpy as np
import pytest

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Evidence, PictureMood, Span
from etbgm_sentiment.seen import WEIGHT, pauses, probabilities_of, with_picture
from etbgm_sentiment.smoothing import Seen, smooth
from etbgm_sentiment.types import Probabilities, Smoothing

NO_PHRASES: Probabilities = np.zeros((0, len(Emotion)), np.float32)


def mood(*parts: tuple[int, float, float], certainty: float = 1.0) -> PictureMood:
    """Seconds of (how many, valence, arousal)."""
    seconds = [(valence, arousal) for count, valence, arousal in parts for _ in range(count)]
    valence, arousal = zip(*seconds, strict=True)
    return PictureMood(arousal, valence, (certainty,) * len(seconds))


def seen(shown: PictureMood, spans: list[Span], duration_s: float) -> Seen:
    rows = probabilities_of(shown)
    found = pauses(spans, (), duration_s, len(rows))
    return Seen([at_s for at_s, _ in found], rows[[number for _, number in found]], WEIGHT)


def test_calm_and_dark_then_fast_and_bright_is_sadness_then_joy() -> None:
    shown = mood((30, -0.7, -0.7), (30, 0.6, 0.4))
    timeline = smooth([], NO_PHRASES, 60.0, Smoothing.VITERBI, 5.0, seen(shown, [], 60.0))
    assert [(part.span, part.emotion) for part in timeline.spans] == [
        (Span(0.0, 30.0), Emotion.SADNESS),
        (Span(30.0, 60.0), Emotion.JOY),
    ]
    assert {part.evidence for part in timeline.spans} == {(Evidence.PICTURE,)}
    assert max(part.probability for part in timeline.spans) < 0.9


def test_a_picture_that_shows_nothing_is_neutral() -> None:
    rows = probabilities_of(mood((5, -0.9, -0.9), certainty=0.0))
    np.testing.assert_allclose(rows[:, list(Emotion).index(Emotion.NEUTRAL)], 1.0, rtol=1e-6)
    assert rows.sum(1) == pytest.approx(np.ones(5))


def test_anger_and_disgust_are_not_seen() -> None:
    rows = probabilities_of(mood((1, -0.9, 0.9)))
    assert rows[0, [list(Emotion).index(one) for one in (Emotion.ANGER, Emotion.DISGUST)]].max() == 0


def test_words_decide_where_someone_speaks() -> None:
    spans = [Span(12.0, 20.0), Span(22.0, 40.0)]
    angry = np.full((2, 7), 0.02, np.float32)
    angry[:, list(Emotion).index(Emotion.ANGER)] = 0.88
    shown = mood((60, 0.6, 0.4))
    timeline = smooth(spans, angry, 60.0, Smoothing.VITERBI, 5.0, seen(shown, spans, 60.0))
    assert [(part.span, part.emotion, part.evidence) for part in timeline.spans] == [
        (Span(0.0, 12.0), Emotion.JOY, (Evidence.PICTURE,)),
        (Span(12.0, 40.0), Emotion.ANGER, (Evidence.WORDS,)),
        (Span(40.0, 60.0), Emotion.JOY, (Evidence.PICTURE,)),
    ]


def test_the_picture_decides_in_long_pauses_only() -> None:
    assert pauses([Span(3.0, 9.5)], [Span(12.0, 14.0)], 30.0, 30) == [(float(i), i) for i in range(14, 30)]
    assert pauses([], [Span(0.0, 30.0)], 30.0, 30) == []


def test_an_exciting_picture_strengthens_the_emotion_of_its_span() -> None:
    spans = tuple(EmotionSpan(Span(20.0 * i, 20.0 * i + 20), Emotion.JOY, 0.8, 0.6) for i in range(3))
    calm, usual, wild = with_picture(
        EmotionTimeline(60.0, spans), mood((20, 0, -0.5), (20, 0, 0.0), (20, 0, 0.5))
    ).spans
    assert calm.intensity < usual.intensity == 0.6 < wild.intensity
    assert {part.emotion for part in (calm, usual, wild)} == {Emotion.JOY}
