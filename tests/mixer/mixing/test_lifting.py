"""The music rises slowly in long pauses, stays down in short ones and never comes near the speech."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etbgm_kit.types import Bar, Span
from etbgm_mixer import loudness
from etbgm_mixer.loudness import Energies
from etbgm_mixer.mixing import lifting
from etbgm_mixer.mixing.lifting import curve_db, pauses
from etbgm_mixer.types import MixSettings

SETTINGS = MixSettings()
LEVEL = 1e-3


def steady(seconds: float) -> Energies:
    return np.full(round(seconds * 100), LEVEL)


def at(curve: Energies, *times_s: float) -> list[float]:
    return [float(curve[min(len(curve) - 1, round(time_s * 100))]) for time_s in times_s]


def test_a_long_pause_has_the_stated_times() -> None:
    curve = curve_db(steady(22), [Span(0, 5), Span(15, 22)], SETTINGS)
    # 0.5 s hold, 4 dB/s up; 8 dB/s down, ended 0.25 s before the word.
    times_s = (4.9, 5.5, 6.0, 6.5, 7.6, 13.7, 14.25, 14.75, 15.1)
    assert at(curve, *times_s) == pytest.approx([0, 0, 2, 4, 8, 8, 4, 0, 0], abs=0.1)


@pytest.mark.parametrize(("pause_s", "lift_db"), [(1.4, 0), (2.9, 3), (5.9, 5), (9, 8)])
def test_the_lift_grows_with_the_pause(pause_s: float, lift_db: float) -> None:
    curve = curve_db(steady(20), [Span(0, 5), Span(5 + pause_s, 20)], SETTINGS)
    assert curve.max() == pytest.approx(lift_db, abs=0.1)
    assert curve.min() == pytest.approx(0, abs=1e-9)


def test_the_ends_of_the_video_are_pauses_that_begin_or_end_up() -> None:
    curve = curve_db(steady(20), [Span(4, 12)], SETTINGS)
    assert at(curve, 0, 4, 12, 19.9) == pytest.approx([5, 0, 0, 8], abs=0.1)


def test_what_the_arrangement_gains_is_not_added_to_the_lift() -> None:
    music = steady(22)
    music[520:1480] *= 10**0.5  # 5 dB
    curve = curve_db(music, [Span(0, 5), Span(15, 22)], SETTINGS)
    assert curve.max() == pytest.approx(3, abs=0.3)


@pytest.mark.parametrize(("pause_s", "under_lu"), [(1.0, 9), (2.5, 8), (5, 6), (10, 4)])
def test_a_swell_of_the_arrangement_is_taken_down(pause_s: float, under_lu: float) -> None:
    music = steady(5 + pause_s + 5)
    music[500 : round((5 + pause_s) * 100)] *= 10**1.6  # 16 dB: above the speech
    spans = [Span(0, 5), Span(5 + pause_s, 10 + pause_s)]
    lowered = music * 10 ** (curve_db(music, spans, SETTINGS) / 10)
    over_lu = loudness.momentary_lufs(loudness.coarse(lowered)) - loudness.mean_lufs(steady(1))
    assert over_lu.max() <= max(SETTINGS.speech_to_music_lu - under_lu, 16 - lifting.MOST_LOWERED_DB) + 0.5


def test_without_speech_nothing_moves() -> None:
    assert not curve_db(steady(5), [], SETTINGS).any()
    assert not curve_db(np.zeros(500), [Span(1, 2)], SETTINGS).any()


def test_pauses_are_what_the_spans_leave() -> None:
    assert pauses([Span(1, 2), Span(3, 5)], 5) == [Span(0, 1), Span(2, 3)]


def bars(bar_s: float, beats: float, until_s: float) -> list[Bar]:
    starts = np.arange(0, until_s, bar_s)
    return [Bar(Span(float(start), float(start + bar_s)), beats) for start in starts]


def rise_begins_s(curve: Energies) -> float:
    return float(np.flatnonzero(curve > 0.03)[0]) / 100


@pytest.mark.parametrize(
    ("pause_s", "begins_s"),
    [
        pytest.param(2.9, 6.0, id="the first beat after the hold"),
        pytest.param(9, 7.2, id="the first bar line after the hold, in a long pause"),
    ],
)
def test_the_music_begins_to_rise_with_its_pulse(pause_s: float, begins_s: float) -> None:
    spans = [Span(0, 5.1), Span(5.1 + pause_s, 20)]
    curve = curve_db(steady(20), spans, SETTINGS, bars(2.4, 4, 20))  # a beat each 0.6 s
    assert rise_begins_s(curve) == pytest.approx(begins_s, abs=0.03)


def test_a_rise_does_not_wait_long_for_a_pulse() -> None:
    spans = [Span(0, 5.1), Span(16, 20)]
    slow = [Bar(Span(0, 5.05), 1), Bar(Span(5.05, 12), 2), Bar(Span(12, 20), 4)]
    assert rise_begins_s(curve_db(steady(20), spans, SETTINGS, slow)) == pytest.approx(5.6, abs=0.03)
    assert rise_begins_s(curve_db(steady(20), spans, SETTINGS, slow[:1])) == pytest.approx(5.6, abs=0.03)


@given(st.lists(st.floats(0.01, 12), min_size=2, max_size=20), st.floats(0, 15))
def test_the_curve_is_slow_and_never_up_under_speech(lengths: list[float], lift_db: float) -> None:
    edges = np.cumsum(lengths)
    spans = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    curve = curve_db(steady(edges[-1] + 2), spans, MixSettings(music_lift_db=lift_db))
    times_s = (np.arange(len(curve)) + 0.5) / 100
    spoken = np.any([(times_s >= s.start_s + 0.01) & (times_s < s.end_s - 0.01) for s in spans], axis=0)
    assert curve.max() <= lift_db + 1e-6
    assert curve[spoken].max(initial=0.0) == 0
    steps = np.diff(curve)
    assert steps.max(initial=0) <= max(lift_db, 1) / 2 * 0.01 + 1e-6
    assert steps.min(initial=0) >= -max(lift_db, 1) * 0.01 - 1e-6
