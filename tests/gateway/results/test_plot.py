"""The plot of a result."""

import io

import numpy as np
import pytest
from PIL import Image

from etbgm_gateway.results.plot import FLOOR_LUFS, VOICE, Levels, curve_of, draw
from etbgm_kit.media.charts import COLOURS
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span

VOICE_RGB = tuple(bytes.fromhex(VOICE[1:]))


def test_a_curve_has_gaps_where_all_is_silent() -> None:
    curve = curve_of([-20.0, None, -30.0, FLOOR_LUFS - 5])
    np.testing.assert_array_equal(curve, [-20.0, np.nan, -30.0, np.nan])


def test_the_curve_of_a_long_video_keeps_the_loudest_points() -> None:
    levels: list[float | None] = [None] * 72_000
    levels[40_000] = -12.5
    curve = curve_of(levels)
    assert len(curve) == 1200
    assert np.nanmax(curve) == -12.5
    assert np.count_nonzero(~np.isnan(curve)) == 1


def test_every_emotion_is_a_band_of_its_colour() -> None:
    spans = tuple(EmotionSpan(Span(10 * i, 10 * i + 10), emotion, 1.0) for i, emotion in enumerate(Emotion))
    timeline = EmotionTimeline(70.0, spans)
    levels = Levels(0.1, [-18.0] * 700, [None] * 700)
    picture = Image.open(io.BytesIO(draw(timeline, [Span(5, 30), Span(40, 60)], [], levels))).convert("RGB")
    colours = {colour for _, colour in picture.getcolors(1 << 20) or []}
    assert picture.size == (1500, 640)
    assert {tuple(bytes.fromhex(colour[1:])) for colour in COLOURS.values()} <= colours


def test_the_voice_is_a_bar_above_or_below_the_middle() -> None:
    timeline = EmotionTimeline(80.0, (EmotionSpan(Span(0, 80), Emotion.JOY, 1.0),))
    voice = [(Span(20 * i, 20 * i + 10), arousal) for i, arousal in enumerate((1.0, 0.5, 0.0, 0.75))]
    picture = Image.open(io.BytesIO(draw(timeline, [], voice, Levels(0.1, [], [])))).convert("RGB")
    assert picture.size == (1500, 640)
    filled = np.all(np.asarray(picture) == VOICE_RGB, axis=2)
    (middle,) = np.flatnonzero(filled.mean(axis=1) > 0.9)
    raised, usual, soft, rather = (filled[:, 88 + round(1400 * time_s / 80)] for time_s in (5, 25, 45, 65))
    above, below = int(raised[:middle].sum()), int(soft[middle + 1 :].sum())
    assert above == pytest.approx(below, abs=2)
    assert above > 30
    assert (raised[middle + 1 :].sum(), soft[:middle].sum(), usual.sum()) == (0, 0, 1)
    assert int(rather[:middle].sum()) == pytest.approx(above / 2, abs=1)


def test_without_a_voice_there_is_no_row_for_it() -> None:
    timeline = EmotionTimeline(10.0, (EmotionSpan(Span(0, 10), Emotion.JOY, 1.0),))
    picture = Image.open(io.BytesIO(draw(timeline, [Span(1, 9)], [], Levels(0.1, [], [])))).convert("RGB")
    assert not np.all(np.asarray(picture) == VOICE_RGB, axis=2).any()
