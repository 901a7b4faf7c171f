"""The music keeps its distance from each phrase, without haste."""

import numpy as np
import pytest

from etbgm_kit.types import Span
from etbgm_mixer.loudness import Energies
from etbgm_mixer.mixing.levelling import phrases
from etbgm_mixer.mixing.placing import MOST_DB, TOLERANCE_LU, curve_db, over_lu, worst
from tests.mixer.mixing.test_levelling import LOUD, QUIET, at, energies

MUSIC = energies((Span(0, 12), -34))


def placed(below_lu: float, wanted_lu: float = 14.0) -> tuple[Energies, Energies, list[Span]]:
    """Speech, the placed music and the spans."""
    voice = energies((LOUD, -20), (QUIET, -20 - below_lu))
    curve = curve_db(voice, MUSIC, phrases(voice, [LOUD, QUIET]), wanted_lu)
    return voice, MUSIC * 10 ** (curve / 10), [LOUD, QUIET]


def test_music_that_is_far_enough_is_not_moved() -> None:
    _, music, _ = placed(TOLERANCE_LU)
    np.testing.assert_allclose(music, MUSIC)


@pytest.mark.parametrize("below_lu", [3, 6, 12])
def test_music_goes_down_with_the_speech(below_lu: float) -> None:
    voice, music, spans = placed(below_lu)
    for phrase in phrases(voice, spans):
        assert over_lu(voice, music, phrase) >= 14 - TOLERANCE_LU - 0.01
    assert 10 * np.log10(at(music, 3) / at(MUSIC, 3)) == pytest.approx(0, abs=0.5)


def test_music_that_swells_under_speech_is_held_down() -> None:
    voice = energies((Span(1, 11), -20))
    music = energies((Span(0, 6), -36), (Span(6, 12), -30))
    spoken = phrases(voice, [Span(1, 11)])
    curve = curve_db(voice, music, spoken, 14.0)
    assert worst(voice, music * 10 ** (curve / 10), spoken)[1] >= 14 - TOLERANCE_LU - 0.01  # type: ignore[index]


def test_it_moves_slowly_and_not_without_end() -> None:
    voice = energies((LOUD, -20), (QUIET, -60))
    curve = curve_db(voice, MUSIC, phrases(voice, [LOUD, QUIET]), 14.0)
    assert at(curve, 7) == pytest.approx(-MOST_DB, abs=0.01)
    assert np.abs(np.diff(curve)).max() < MOST_DB / 100


def test_the_worst_phrase_is_named() -> None:
    voice = energies((LOUD, -20), (QUIET, -26))
    found = worst(voice, MUSIC, phrases(voice, [LOUD, QUIET]))
    assert found is not None
    assert found[0].span == QUIET
    assert found[1] == pytest.approx(8, abs=0.01)


def test_without_speech_or_music_nothing_is_placed() -> None:
    silence = np.zeros(1200)
    assert not curve_db(silence, MUSIC, [], 14.0).any()
    spoken = phrases(MUSIC, [LOUD])
    assert not curve_db(MUSIC, silence, spoken, 14.0).any()
    assert worst(MUSIC, silence, spoken) is None
    assert not len(curve_db(silence[:0], silence[:0], [], 14.0))
