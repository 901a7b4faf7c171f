"""No true peak passes, whatever comes; what is quiet passes untouched."""

import numpy as np
import pytest
import soxr

from etbgm_mixer.mixing.limiter import Limiter, sliding_maximum, true_peaks
from tests.mixer.conftest import RATE_HZ, Sound, noise, sine

CEILING_DB = -1.0


def limited(sound: Sound, block: int = RATE_HZ) -> Sound:
    limiter = Limiter(10 ** (CEILING_DB / 20), 2)
    padded = np.concatenate([sound, np.zeros((limiter.DELAY, 2), np.float32)])
    parts = [limiter.feed(padded[first : first + block])[0] for first in range(0, len(padded), block)]
    return np.concatenate(parts)[limiter.DELAY :]


def true_peak_db(sound: Sound) -> float:
    """By 8 times oversampling."""
    return float(20 * np.log10(np.abs(soxr.resample(sound, RATE_HZ, 8 * RATE_HZ)).max()))


def music_like() -> Sound:
    """Noise up to 16 kHz: the standard's short interpolation is exact where music is."""
    return soxr.resample(soxr.resample(noise(2, 0), RATE_HZ, 32000), 32000, RATE_HZ).astype(np.float32)


def clicks() -> Sound:
    sound = np.zeros((RATE_HZ, 2), np.float32)
    sound[::997] = 2.0
    sound[500::1333, 1] = -3.0
    return sound


@pytest.mark.parametrize(
    "sound",
    [
        music_like(),
        sine(1, 6),
        sine(1, 2.9, RATE_HZ / 4, np.pi / 4),
        np.sign(sine(1, 0, 437)) * np.float32(1.5),
        clicks(),
    ],
    ids=["noise", "sine", "between samples", "square", "clicks"],
)
def test_the_true_peak_stays_below_the_ceiling(sound: Sound) -> None:
    assert true_peak_db(sound) > CEILING_DB
    assert true_peak_db(limited(sound)) <= CEILING_DB + 0.2


def test_quiet_sound_passes_untouched_and_in_time() -> None:
    sound = noise(1, -30)
    np.testing.assert_array_equal(limited(sound), sound)


@pytest.mark.parametrize("block", [64, 1000, 7919])
def test_blocks_of_any_size_give_the_same(block: int) -> None:
    sound = noise(1, -3)
    np.testing.assert_allclose(limited(sound, block), limited(sound), atol=1e-5)


def test_the_gain_moves_smoothly_and_is_reported() -> None:
    limiter = Limiter(0.5, 2)
    sound = np.full((RATE_HZ, 2), 0.1, np.float32)
    sound[RATE_HZ // 2] = 1.0
    _, gain = limiter.feed(sound)
    assert np.abs(np.diff(gain[:, 0])).max() < 0.01
    assert limiter.reduction_db == pytest.approx(6, abs=1)


@pytest.mark.parametrize(
    "sound", [music_like(), clicks(), sine(1, 0, 15000)], ids=["noise", "clicks", "sine"]
)
def test_no_peak_above_the_threshold_is_missed(sound: Sound) -> None:
    every, high = true_peaks(sound), true_peaks(sound, 0.9)
    assert every.max() > 0.9
    np.testing.assert_array_equal(np.maximum(every, 0.9), np.maximum(high, 0.9))


def test_true_peaks_are_those_of_the_standard_filter() -> None:
    sound = music_like()
    taps = np.sinc(np.arange(-23, 24) / 4) * np.hamming(47)
    fine = np.zeros((4 * len(sound), 2))
    fine[::4] = 4 * sound / taps.sum()
    fine = np.abs([np.convolve(side, taps, "same") for side in fine.T]).max(axis=0)
    expected = [fine[max(0, 4 * at - 4) : 4 * at + 4].max() for at in range(len(sound))]
    np.testing.assert_allclose(true_peaks(sound)[16:-16], expected[16:-16], atol=1e-5)


@pytest.mark.parametrize("width", [1, 2, 5, 8, 241])
def test_the_sliding_maximum_of_any_width(width: int) -> None:
    values = np.random.default_rng(1).random(500).astype(np.float32)
    expected = np.lib.stride_tricks.sliding_window_view(values, width).max(axis=1)
    np.testing.assert_array_equal(sliding_maximum(values, width), expected)
