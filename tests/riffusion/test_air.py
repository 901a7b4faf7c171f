"""The noise that dark sounds receive above 2.8 kHz, on known sounds."""

import itertools

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from etbgm_riffusion.composer.sound.air import FALLS_DB, add_air, air_of, breath
from etbgm_riffusion.composer.sound.octaves import balance_of, octaves_of, power_of
from etbgm_riffusion.types import Stereo

RATE_HZ = 48000
HIGHS = slice(-len(FALLS_DB), None)


def beats(corner_hz: float, order: int) -> Stereo:
    """Noise below `corner_hz` that swells and fades once per second, 4 s, both channels alike."""
    white = np.random.default_rng(1).normal(size=4 * RATE_HZ)
    envelope = np.sin(np.pi * np.arange(len(white)) / RATE_HZ) ** 2
    dark = sosfilt(butter(order, corner_hz, fs=RATE_HZ, output="sos"), white) * envelope
    sound: Stereo = np.repeat(0.1 * dark[:, None] / dark.std(), 2, axis=1).astype(np.float32)
    return sound


def aired(sound: Stereo) -> Stereo:
    result = sound.copy()
    taps = air_of(sound, balance_of(sound), RATE_HZ)
    assert taps is not None
    add_air(result[None], taps)
    return result


def levels_db(sound: Stereo) -> np.ndarray:
    return np.asarray(10 * np.log10(octaves_of(power_of(sound.mean(axis=1)), RATE_HZ)))


def test_a_dark_sound_falls_no_further_than_stated() -> None:
    dark = beats(1500, 6)
    before, after = -np.diff(levels_db(dark))[HIGHS], -np.diff(levels_db(aired(dark)))[HIGHS]
    assert min(before[:2]) > 30
    assert after == pytest.approx(FALLS_DB, abs=4)
    assert levels_db(aired(dark))[:-4] == pytest.approx(levels_db(dark)[:-4], abs=0.1)


def test_a_bright_sound_stays_as_it_is() -> None:
    for sound in (beats(20000, 1), np.zeros((RATE_HZ, 2), np.float32)):
        assert air_of(sound, balance_of(sound), RATE_HZ) is None


def test_air_follows_the_sound() -> None:
    """Where the sound is silent, there is no hiss: a tenth of a second around its peaks and its silences."""
    highs = sosfilt(butter(4, 6000, "highpass", fs=RATE_HZ, output="sos"), aired(beats(1500, 6))[:, 0])
    loud, still = (
        10 * np.log10(np.mean([(highs[s - 2400 : s + 2400] ** 2).mean() for s in places]))
        for places in (range(RATE_HZ // 2, len(highs), RATE_HZ), range(RATE_HZ, len(highs), RATE_HZ))
    )
    assert loud - still > 20


def test_the_air_of_parts_adds_up() -> None:
    one, other = beats(1500, 6), beats(900, 4)[::-1].copy()
    taps = air_of(one + other, balance_of(one + other), RATE_HZ)
    assert taps is not None
    parts = np.stack([one + other, one, other])
    add_air(parts, taps)
    assert np.abs(parts[0] - parts[1] - parts[2]).max() < 1e-6


def test_the_noise_does_not_repeat() -> None:
    curve = np.arange(4 * RATE_HZ, dtype=np.float32) % 2
    seconds = np.split(breath(curve).astype(float), [RATE_HZ, 2 * RATE_HZ, 3 * RATE_HZ])[:3]
    for one, other in itertools.combinations(seconds, 2):
        spectra = np.fft.rfft(one, 2 * RATE_HZ), np.fft.rfft(other, 2 * RATE_HZ)
        assert np.abs(np.fft.irfft(spectra[0] * spectra[1].conj())).max() < 0.05 * (one @ one)
