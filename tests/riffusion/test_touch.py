"""Repeated notes differ, and a harder touch is brighter."""

import itertools

import numpy as np
import pytest

from etbgm_riffusion.composer.score import Voice
from etbgm_riffusion.composer.sound.synth import Player, Synth
from etbgm_riffusion.composer.sound.touch import touch_of
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL
from etbgm_riffusion.types import Stereo

RATE_HZ = 44100


def player_of(synth: Synth, programme: int) -> Player:
    if synth.name.partition("-")[0] != "fluidsynth":
        pytest.skip("only libfluidsynth changes single notes")
    return synth.player([[Voice("", "", 0, programme, 100, 64, 0)]], RATE_HZ)


def struck(player: Player, pitch: int, velocity: int) -> Stereo:
    """A second of a note, and two in which it rings out."""
    sound = np.zeros((2068 * 64, 2), np.float32)
    held = RATE_HZ // 64 * 64
    player.note_on(0, pitch, velocity)
    player.render(sound[None, :held])
    player.note_off(0, pitch)
    player.render(sound[None, held:])
    return sound


def correlation(one: Stereo, other: Stereo) -> float:
    """The highest over all lags."""
    spectra = [np.fft.rfft(sound.mean(axis=1), 2 * len(sound)) for sound in (one, other)]
    power = [float((sound.mean(axis=1) ** 2).sum()) for sound in (one, other)]
    return float(np.abs(np.fft.irfft(spectra[0] * spectra[1].conj())).max() / np.prod(power) ** 0.5)


def centroid_hz(sound: Stereo) -> float:
    magnitudes = np.abs(np.fft.rfft(sound.mean(axis=1)))
    return float(np.average(np.fft.rfftfreq(len(sound), 1 / RATE_HZ), weights=magnitudes))


@pytest.mark.parametrize("programme", [0, 33, 42, 61, 73])
def test_a_repeated_note_is_no_copy(synth: Synth, programme: int) -> None:
    player = player_of(synth, programme)
    strikes = [struck(player, 60, 80) for _ in range(4)]
    player.close()
    for one, other in itertools.pairwise(strikes):
        assert correlation(one, other) < 0.98


def test_a_new_player_repeats_the_same_notes(synth: Synth) -> None:
    one, other = (struck(player_of(synth, 48), 60, 80) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("programme", [0, 24, 42, 48, 60, 71, 80])
def test_a_hard_touch_is_brighter_than_a_soft_one(synth: Synth, programme: int) -> None:
    """By four semitones or more."""
    soft_hz, hard_hz = (
        centroid_hz(struck(player_of(synth, programme), 60, velocity)) for velocity in (40, 110)
    )
    assert 12 * np.log2(hard_hz / soft_hz) >= 4


def test_neighbouring_strikes_differ_most() -> None:
    for channel, most_cents in ((0, 4), (DRUMS_CHANNEL, 25)):
        cents = [touch_of(channel, 60, 80, number).detune_cents for number in range(200)]
        assert max(map(abs, cents)) <= most_cents
        assert min(abs(one - other) for one, other in itertools.pairwise(cents)) > 0.7 * most_cents
        assert abs(np.mean(cents)) < 0.1 * most_cents
