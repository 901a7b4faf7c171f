"""The dip under speech, by its effect on known sounds."""

import numpy as np
import pytest

from etbgm_kit.types import Span
from etbgm_riffusion.composer.sound.dip import DIP_RAMP_S, dip_of, dip_weight
from etbgm_riffusion.composer.sound.room import SIZE, pass_through
from etbgm_riffusion.types import Stereo

RATE_HZ = 48000
SPEECH = (Span(1, 2), Span(2.4, 3))


def pink(seconds: float) -> Stereo:
    """Noise that falls by 3 dB per octave."""
    white = np.random.default_rng(1).normal(size=(round(seconds * RATE_HZ), 2))
    spectrum = np.fft.rfft(white, axis=0)
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))[:, None]
    sound: Stereo = np.fft.irfft(spectrum, axis=0).astype(np.float32)
    return sound


def level_db(sound: Stereo, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(sound[:, 0].astype(float))) ** 2
    frequency_hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    return float(10 * np.log10(power[(low_hz <= frequency_hz) & (frequency_hz < high_hz)].sum()))


def shaped(sound: Stereo, speech: tuple[Span, ...], start: int = 0) -> Stereo:
    """What a room without walls, and without a tone, makes of the sound."""
    result, same = sound.copy(), np.ones(SIZE // 2 + 1, np.complex64)
    pass_through(result[None], (same, same, 0 * same), dip_of(start, len(sound), speech, RATE_HZ, SIZE))
    return result


def test_the_dip_lowers_the_consonants_band_by_four_decibels() -> None:
    sound = pink(5)
    plain, dipped = shaped(sound, ()), shaped(sound, (Span(0, 5),))
    assert level_db(dipped, 1000, 4000) - level_db(plain, 1000, 4000) == pytest.approx(-4.1, abs=0.2)
    for band in ((60, 350), (11000, 20000)):
        assert level_db(dipped, *band) == pytest.approx(level_db(plain, *band), abs=0.5)


def test_the_dip_comes_and_goes_around_speech() -> None:
    weight = dip_weight(0, 4 * RATE_HZ, SPEECH, RATE_HZ)
    assert weight is not None
    for span in SPEECH:
        assert np.all(weight[round(span.start_s * RATE_HZ) : round(span.end_s * RATE_HZ)] == 1)
    assert np.all(weight[: round((1 - DIP_RAMP_S) * RATE_HZ)] == 0)
    assert np.all(weight[round((3 + DIP_RAMP_S) * RATE_HZ) + 1 :] == 0)
    assert np.abs(np.diff(weight)).max() < 2 / (DIP_RAMP_S * RATE_HZ)
    assert dip_weight(0, round((1 - DIP_RAMP_S) * RATE_HZ), SPEECH, RATE_HZ) is None


def test_nothing_but_absolute_time_decides_the_dip() -> None:
    whole = dip_weight(0, 4 * RATE_HZ, SPEECH, RATE_HZ)
    part = dip_weight(70000, 40000, SPEECH, RATE_HZ)
    assert whole is not None
    assert part is not None
    assert np.array_equal(part, whole[70000:110000])


def test_a_shorter_sound_is_the_start_of_the_longer() -> None:
    sound = pink(4)
    assert shaped(sound[:54321], SPEECH) == pytest.approx(shaped(sound, SPEECH)[:54321], abs=1e-6)
