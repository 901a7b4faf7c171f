"""Phrases are brought together; pauses, breaths and syllables are left as they are."""

import itertools

import numpy as np
import pytest

from etbgm_kit.types import Span
from etbgm_mixer.loudness import Energies
from etbgm_mixer.mixing import levelling
from etbgm_mixer.mixing.levelling import Phrase, gain_db, phrases, relief_db

LOUD, QUIET = Span(2, 4.5), Span(6, 8.5)


def energies(*parts: tuple[Span, float], seconds: float = 12.0) -> Energies:
    """Energy per 10 ms: silence, and the given loudness in the spans."""
    found = np.zeros(round(100 * seconds))
    for span, lufs in parts:
        found[round(100 * span.start_s) : round(100 * span.end_s)] = 10 ** ((lufs + 0.691) / 10)
    return found


def curve(*parts: tuple[Span, float]) -> Energies:
    voice = energies(*parts)
    return gain_db(voice, phrases(voice, [span for span, _ in parts]))


def at(values: Energies, time_s: float) -> float:
    return float(values[round(100 * time_s)])


@pytest.mark.parametrize("below_lu", [0, 6, 9])
def test_a_third_of_the_distance_remains(below_lu: float) -> None:
    found = curve((LOUD, -20), (QUIET, -20 - below_lu))
    after_lu = below_lu + at(found, 3) - at(found, 7)
    assert after_lu == pytest.approx(below_lu / 3, abs=0.05)


def test_the_gain_is_at_most_12_db() -> None:
    found = curve((LOUD, -20), (QUIET, -45))
    assert at(found, 7) == pytest.approx(12, abs=0.01)


def test_breaths_and_noise_that_pass_for_speech_are_not_raised() -> None:
    assert at(curve((LOUD, -20), (QUIET, -55)), 7) == 0


def test_pauses_are_not_raised() -> None:
    found = curve((LOUD, -20), (QUIET, -35))
    for time_s in (0.5, 5.2, 9.5, 11.5):
        assert at(found, time_s) <= 0.01


def test_the_first_and_last_sound_of_a_phrase_have_its_gain() -> None:
    found = curve((LOUD, -20), (QUIET, -32))
    for time_s in (QUIET.start_s, QUIET.end_s):
        assert at(found, time_s) == pytest.approx(at(found, 7), abs=1.2)


def test_the_gain_follows_the_phrase_and_not_its_syllables() -> None:
    voice = energies((LOUD, -20), (QUIET, -32)) * (1.01 + np.sin(2 * np.pi * 4 * np.arange(1200) / 100))
    found = gain_db(voice, phrases(voice, [LOUD, QUIET]))
    assert np.ptp(found[630:820]) < 0.01


def test_the_gain_moves_slowly() -> None:
    found = curve((LOUD, -20), (QUIET, -45))
    assert np.abs(np.diff(found)).max() < 12 / 40 * 2


def test_speakers_who_take_turns_without_a_pause_are_told_apart() -> None:
    voice = energies((Span(1, 4), -20), (Span(4.05, 7), -40))
    found = gain_db(voice, phrases(voice, [Span(1, 7)]))
    assert at(found, 5.5) - at(found, 2.5) > 11


@pytest.mark.parametrize("end_s", [1.2, 4.0, 4.1, 11.9, 15.0])
def test_phrases_cover_their_span_and_are_short(end_s: float) -> None:
    voice = np.random.default_rng(1).random(1200)
    found = phrases(voice, [Span(1, end_s)])
    assert found[0].first == 100
    assert found[-1].last == min(1200, round(100 * end_s))
    assert all(one.last == following.first for one, following in itertools.pairwise(found))
    assert all(0 < phrase.last - phrase.first <= 300 for phrase in found)


def test_speech_is_cut_at_its_quietest_moment() -> None:
    voice = energies((Span(1, 3.2), -20), (Span(3.3, 5), -20))
    cut = phrases(voice, [Span(1, 5)])[0].last
    assert cut == pytest.approx(325, abs=2)


@pytest.mark.parametrize("voice", [np.zeros(0), np.zeros(500)])
def test_silence_has_no_gain(voice: Energies) -> None:
    assert not gain_db(voice, phrases(voice, [Span(1, 4)])).any()
    assert not gain_db(voice, []).any()


def test_only_peaks_beyond_what_the_limiter_may_take_are_relieved() -> None:
    peaks = np.full(1000, 0.1)
    peaks[200], peaks[500], peaks[800] = 10 ** (2.9 / 20), 10 ** (5 / 20), 10 ** (30 / 20)
    found = relief_db(peaks, np.ones(1000, bool), 1.0)
    assert at(found, 2) == 0
    assert at(found, 5) == pytest.approx(-2, abs=0.01)
    assert at(found, 8) == pytest.approx(-levelling.MOST_RELIEF_DB, abs=0.01)
    assert at(found, 5.5) == pytest.approx(0, abs=1e-9)
    assert not relief_db(peaks, np.zeros(1000, bool), 1.0).any()


def test_samples_are_interpolated_as_if_in_one_block() -> None:
    steps = np.random.default_rng(1).random(50)
    whole = levelling.at_samples(steps, 0, 480 * 50 + 700)
    parts = [levelling.at_samples(steps, first, 700) for first in range(0, 480 * 50 + 700, 700)]
    np.testing.assert_allclose(np.concatenate(parts)[: len(whole)], whole, atol=1e-6)
    assert whole[240 + 480 * 7, 0] == pytest.approx(steps[7], abs=0.01)
    assert levelling.at_samples(np.zeros(0), 0, 100).shape == (100, 1)


def test_a_phrase_has_its_time() -> None:
    assert Phrase(120, 250).span == Span(1.2, 2.5)
