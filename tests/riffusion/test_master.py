"""The gain curve: ceiling, cuts, distortion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etbgm_riffusion.composer.sound.master import gain_of, mastered, reach, saturation
from etbgm_riffusion.types import Stereo

RATE_HZ = 48000
TOTAL = 30_011


def noise(samples: int, level: float) -> Stereo:
    """Noise with a few loud places."""
    chance = np.random.default_rng(2)
    loud = 1 + 4 * (np.sin(np.arange(samples) / 3000) > 0.9)
    sound: Stereo = (chance.normal(0, level, (samples, 2)) * loud[:, None]).astype(np.float32)
    return sound


def master(sound: Stereo, first: int, last: int, block: int) -> Stereo:
    begin, end = reach(first, last, TOTAL)
    blocks = (sound[None, place : min(place + block, end)] for place in range(begin, end, block))
    parts = [part[0] for part in mastered(blocks, first, last, TOTAL, RATE_HZ)]
    return np.concatenate([np.zeros((0, 2), np.float32), *parts])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, TOTAL), st.integers(0, TOTAL), st.integers(1, 9000))
def test_any_cut_and_any_blocks_give_the_same_samples(one: int, other: int, block: int) -> None:
    sound = noise(TOTAL, 0.3)
    first, last = sorted((one, other))
    whole = master(sound, 0, TOTAL, TOTAL)
    assert np.array_equal(master(sound, first, last, max(block, 64)), whole[first:last])


def test_no_peak_passes_the_ceiling_and_quiet_sound_is_untouched() -> None:
    sound = noise(TOTAL, 0.3)
    sound[20_000] = 5.0
    gain = gain_of(sound)
    assert np.abs(sound).max() > 1
    assert np.abs(sound * gain[:, None]).max() < 0.52
    assert np.all(gain_of(noise(TOTAL, 0.01)) == 1)


@pytest.mark.parametrize("frequency_hz", [41, 110, 440])
@pytest.mark.parametrize("peak", [0.7, 1.5])
def test_tones_are_not_distorted(frequency_hz: int, peak: float) -> None:
    """Everything beside the tone is 100 dB below it; a tanh bend leaves 12 to 30 dB."""
    tone = peak * np.sin(2 * np.pi * frequency_hz * np.arange(2 * RATE_HZ) / RATE_HZ)
    sound = np.stack([tone, tone], axis=1).astype(np.float32)
    middle = (sound[:, 0] * gain_of(sound))[RATE_HZ // 2 : RATE_HZ // 2 + RATE_HZ]
    power = np.abs(np.fft.rfft(middle)) ** 2
    rest = np.delete(power, frequency_hz).sum()
    assert 10 * np.log10(rest / power[frequency_hz]) < -100


def test_stems_get_the_gain_of_the_bed() -> None:
    stems = np.stack([noise(TOTAL, 0.2), noise(TOTAL, 0.3)[::-1]])
    blocks = iter([np.concatenate([stems.sum(axis=0, keepdims=True), stems])])
    (parts,) = mastered(blocks, 0, TOTAL, TOTAL, RATE_HZ)
    assert np.abs(stems.sum(axis=0)).max() > 1
    assert parts[1:].sum(axis=0) == pytest.approx(parts[0], abs=1e-6)


def test_louder_passages_rise_by_half_a_decibel_for_each() -> None:
    levels = [10 ** (-level_db / 20) for level_db in (16, 12, 8)]
    sound = np.concatenate([noise(RATE_HZ, 1) * 0 + level for level in levels]).astype(np.float32) * 0.9
    gain = gain_of(sound)[RATE_HZ // 2 :: RATE_HZ]
    assert 20 * np.log10(gain[1] / gain[0]) == pytest.approx(-2, abs=0.1)


@pytest.mark.parametrize(("peak", "least_db", "most_db"), [(0.1, 42, 60), (0.3, 25, 40)])
def test_saturation_adds_few_harmonics(peak: float, least_db: float, most_db: float) -> None:
    """How far the harmonics of a tone are below it: less than loud music masks, and rising with the level."""
    tone = np.repeat(peak * np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ)[:, None], 2, axis=1)
    power = np.abs(np.fft.rfft((tone * saturation(tone.astype(np.float32)))[:, 0])) ** 2
    rest = np.delete(power, 440).sum()
    assert least_db < 10 * np.log10(power[440] / rest) < most_db


def test_saturation_holds_all_peaks() -> None:
    sound = np.clip(noise(TOTAL, 0.8), -1, 1)
    assert np.abs(sound * saturation(sound)).max() < 0.41
