"""The balance and the width of a sound after its tone and room, on known sounds."""

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import butter, sosfilt

from etbgm_riffusion.composer.sound.octaves import OCTAVES, balance_of, tone_of
from etbgm_riffusion.composer.sound.room import pass_through, responses
from etbgm_riffusion.types import Stereo

RATE_HZ = 48000


def pink(seconds: float, side: float = 0.0) -> Stereo:
    """Noise that falls by 3 dB per octave; `side` is the amplitude of what differs between the channels."""
    white = np.random.default_rng(1).normal(size=(2, round(seconds * RATE_HZ)))
    spectrum = np.fft.rfft(white)
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    middle, other = np.fft.irfft(spectrum)
    both = np.stack([middle + side * other, middle - side * other], axis=1)
    sound: Stereo = (0.1 * both / both.std()).astype(np.float32)
    return sound


def toned(sound: Stereo) -> Stereo:
    result = sound.copy()
    pass_through(result[None], responses(tone_of(balance_of(sound), RATE_HZ), RATE_HZ))
    return result


def octaves_db(sound: Stereo) -> tuple[np.ndarray, np.ndarray]:
    """Each octave's part of the energy, and its side relative to its middle, dB."""
    frequency_hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    middle, side = (
        np.array([power[np.abs(np.log2((frequency_hz + 1e-9) / o.middle_hz)) < 0.5].sum() for o in OCTAVES])
        for power in (
            np.abs(np.fft.rfft(y.astype(float))) ** 2 for y in (sound.sum(1) / 2, sound @ [0.5, -0.5])
        )
    )
    shares = (middle + side) / (middle + side).sum()
    return 10 * np.log10(shares), 10 * np.log10(side / middle + 1e-12)


@pytest.mark.parametrize("corner_hz", [None, 600])
def test_octaves_move_towards_those_of_recorded_music(corner_hz: float | None) -> None:
    sound = pink(20)
    if corner_hz:
        sound = sosfilt(butter(1, corner_hz, fs=RATE_HZ, output="sos"), sound, axis=0).astype(np.float32)
    wanted = np.array([octave.share_db for octave in OCTAVES])
    before, after = (np.ptp((octaves_db(y)[0] - wanted)[1:]) for y in (sound, toned(sound)))
    assert before > 10
    assert after < 0.7 * before


def test_a_darker_sound_stays_darker() -> None:
    dark, bright = (
        sosfilt(butter(1, corner_hz, fs=RATE_HZ, output="sos"), pink(20), axis=0).astype(np.float32)
        for corner_hz in (1500, 3000)
    )
    difference = octaves_db(toned(bright))[0] - octaves_db(toned(dark))[0]
    assert difference[-4:-1].min() > 0.5


@pytest.mark.parametrize("side", [0.0, 0.2, 3.0])
def test_highs_are_wide_and_lows_are_not(side: float) -> None:
    sound = toned(pink(20, side))
    width_db = octaves_db(sound)[1]
    assert np.all(width_db[5:9] > -6)
    assert np.all(width_db[5:9] < 6)
    if side < 1:
        assert np.all(width_db[:3] < -10)
        assert np.corrcoef(sound.T)[0, 1] > 0.3


def test_the_sum_of_both_channels_has_no_spreading() -> None:
    """A click in the middle: its mono sum is the tone and the room, the rest is in the side only."""
    sound = pink(4)
    tone = tone_of(balance_of(sound), RATE_HZ)
    narrow = responses(type(tone)(tone.middle, tone.side, 0 * tone.spread), RATE_HZ)
    plain, wide = sound.copy(), toned(sound)
    pass_through(plain[None], narrow)
    assert wide.sum(axis=1) == pytest.approx(plain.sum(axis=1), abs=1e-5)
    assert np.abs(wide[:, 0] - wide[:, 1]).max() > 0.05


def test_loudness_stays() -> None:
    meter = pyloudnorm.Meter(RATE_HZ)
    for sound in (pink(10, 0.5), np.diff(pink(10, 0.5), axis=0, prepend=0).astype(np.float32)):
        before, after = (meter.integrated_loudness(y.astype(float)) for y in (sound, toned(sound)))
        assert after == pytest.approx(before, abs=1.2)


def test_rumble_goes_and_the_lowest_bass_note_stays() -> None:
    levels_db = []
    for frequency_hz in (10, 41.2):
        tone = 0.1 * np.sin(2 * np.pi * frequency_hz * np.arange(4 * RATE_HZ) / RATE_HZ)
        sound = np.repeat(tone[:, None], 2, axis=1).astype(np.float32)
        through = responses(tone_of(balance_of(pink(10)), RATE_HZ), RATE_HZ)
        pass_through(sound[None], through)
        levels_db.append(20 * np.log10(sound[2 * RATE_HZ :].std()))
    assert levels_db[0] < levels_db[1] - 12


def test_a_shorter_sound_is_the_start_of_the_longer() -> None:
    """As units end with the piece: blocks are filtered one by one."""
    sound = pink(4, 0.3)
    through = responses(tone_of(balance_of(sound), RATE_HZ), RATE_HZ)
    whole, part = sound.copy(), sound[: 3 * 49152].copy()
    for y in (whole, part):
        pass_through(y[None], through)
    assert np.array_equal(part, whole[: len(part)])


def test_silence_stays_silent() -> None:
    assert not toned(np.zeros((RATE_HZ, 2), np.float32)).any()
