"""Canvases cover a piece; cues join wherever they are cut; the fade keeps the level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etbgm_riffusion.diffusion.grid import STEP, WIDTH, Place, joined, places_of, reaching
from etbgm_riffusion.types import Stereo


def sound_at(sample_rate_hz: int, place: Place, own: float = 0.01) -> Stereo:
    """Noise of the piece, which all canvases share, and some of the canvas's own."""
    column = sample_rate_hz // 100
    blocks = [
        np.random.default_rng(number).normal(0, 0.1, (column, 2)) for number in range(place.start, place.end)
    ]
    alone = np.random.default_rng((place.start, 1)).normal(0, own, (place.width * column, 2))
    return (np.concatenate(blocks) + alone).astype(np.float32)


def cut(duration_s: float, first: int, last: int, sample_rate_hz: int) -> Stereo:
    places = reaching(places_of(duration_s), first, last, sample_rate_hz)
    blocks = joined(places, lambda place: sound_at(sample_rate_hz, place), first, last, sample_rate_hz)
    return np.concatenate([block[0] for block in blocks])


@given(st.floats(0.01, 7200))
def test_canvases_cover_the_piece_and_no_more_than_a_second_after_it(duration_s: float) -> None:
    places = places_of(duration_s)
    assert places[0].start == 0
    assert duration_s * 100 <= places[-1].end < duration_s * 100 + 65
    assert [place.start for place in places] == [STEP * number for number in range(len(places))]
    assert all(place.width == WIDTH for place in places[:-1])
    assert len(places) == 1 or places[-1].width >= WIDTH - STEP
    assert all(place.start % 8 == 0 for place in places)


def test_a_canvas_is_eight_windows() -> None:
    assert (WIDTH - 512) % 7 == 0
    assert (WIDTH - 512) // 7 == 384


@pytest.mark.parametrize("sample_rate_hz", [44100, 48000])
def test_cues_join_wherever_they_are_cut(sample_rate_hz: int) -> None:
    duration_s = 64.4
    total = round(duration_s * sample_rate_hz)
    whole = cut(duration_s, 0, total, sample_rate_hz)
    assert whole.shape == (total, 2)
    border = STEP * sample_rate_hz // 100
    for middle in (1, border - 1, border, border + 12345, border + sample_rate_hz * 128 // 100, total - 1):
        left, right = (
            cut(duration_s, 0, middle, sample_rate_hz),
            cut(duration_s, middle, total, sample_rate_hz),
        )
        assert np.array_equal(np.concatenate([left, right]), whole)


@pytest.mark.parametrize("own", [0.0, 0.03, 0.1, 1.0])
def test_the_level_stays_where_canvases_fade_into_each_other(own: float) -> None:
    """However much of a canvas is its own: 0.1 is as much as it shares."""
    rate = 44100
    places = places_of(40.0)
    blocks = joined(places, lambda place: sound_at(rate, place, own), 0, 40 * rate, rate)
    sound = np.concatenate([block[0] for block in blocks])
    middle = sound[STEP * 441 + 10000 : WIDTH * 441 - 10000]
    around = np.concatenate([sound[: STEP * 441], sound[WIDTH * 441 :]])
    assert 20 * np.log10(middle.std() / around.std()) == pytest.approx(0, abs=0.1)
