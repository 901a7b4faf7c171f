"""The music is down at the first syllable and comes back in real pauses only."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etbgm_kit.types import Span
from etbgm_mixer.ducking import Ducking, bridged
from etbgm_mixer.types import MixSettings

SETTINGS = MixSettings(music_lift_db=8, attack_ms=150, hold_ms=200, release_ms=500)


def gain_db(spans: list[Span], *times_s: float) -> list[float]:
    return [float(g) for g in 20 * np.log10(Ducking(spans, SETTINGS).gain(np.array(times_s)))]


def test_the_curve_has_the_stated_times() -> None:
    spans = [Span(2.0, 4.0)]
    times = (0.0, 1.85, 1.925, 2.0, 3.0, 4.0, 4.2, 4.45, 4.7, 9.0)
    assert gain_db(spans, *times) == pytest.approx([8, 8, 4, 0, 0, 0, 0, 4, 8, 8], abs=1e-6)


def test_short_pauses_are_bridged() -> None:
    assert bridged([Span(0, 1), Span(1.9, 3), Span(4, 5)]) == [Span(0, 3), Span(4, 5)]
    assert gain_db([Span(1, 2), Span(2.9, 4)], 2.45) == [0]


def test_without_speech_the_music_is_up() -> None:
    assert gain_db([], 0, 5) == pytest.approx([8, 8])


@given(st.lists(st.floats(0.01, 5), min_size=2, max_size=20))
def test_never_above_the_lift_and_never_up_under_speech(lengths: list[float]) -> None:
    edges = np.cumsum(lengths)
    spans = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    times_s = np.linspace(0, edges[-1] + 2, 500)
    gain = Ducking(spans, SETTINGS).gain(times_s)
    spoken = np.any([(times_s >= s.start_s) & (times_s < s.end_s) for s in spans], axis=0)
    assert gain.max() <= 10 ** (8 / 20) * (1 + 1e-6)
    assert np.all(gain[spoken] == 1)
