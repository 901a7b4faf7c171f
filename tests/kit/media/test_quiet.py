"""Quiet sound is raised by its lasting level; other sound stays as it is."""

import numpy as np
import pytest

from etbgm_kit.media.quiet import MOST_GAIN_DB, USUAL_DBFS, LastingLevel, gain_for
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono


def noise(seconds: float, level_dbfs: float) -> Mono:
    samples = np.random.default_rng(1).standard_normal(round(seconds * SAMPLE_RATE_HZ))
    return (samples * 10 ** (level_dbfs / 20)).astype(np.float32)


def level_of(sound: Mono, blocks: int = 7) -> float:
    meter = LastingLevel(SAMPLE_RATE_HZ)
    for block in np.array_split(sound, blocks):
        meter.feed(block)
    return meter.dbfs()


SILENCE = np.zeros(60 * SAMPLE_RATE_HZ, np.float32)


def test_neither_silence_nor_a_click_nor_direct_current_changes_the_level() -> None:
    sound = np.concatenate([SILENCE, noise(4, -60), SILENCE])
    sound[5 * SAMPLE_RATE_HZ : 5 * SAMPLE_RATE_HZ + 800] = 0.9
    assert level_of(sound + np.float32(0.1)) == pytest.approx(-60, abs=0.5)


@pytest.mark.parametrize("blocks", [1, 11, 1000])
def test_blocks_of_any_size_give_the_same(blocks: int) -> None:
    assert level_of(noise(5, -50), blocks) == pytest.approx(level_of(noise(5, -50)), abs=1e-6)


@pytest.mark.parametrize("sound", [SILENCE, SILENCE[:0], SILENCE[:100]])
def test_silence_has_no_level_and_no_gain(sound: Mono) -> None:
    assert level_of(sound, 1) == -np.inf
    assert gain_for(-np.inf) == 1


@pytest.mark.parametrize("level_dbfs", [-39.9, -20.0, 0.0])
def test_ordinary_sound_has_exactly_no_gain(level_dbfs: float) -> None:
    assert gain_for(level_dbfs) == 1


@pytest.mark.parametrize("level_dbfs", [-45.0, -60.0, -84.0])
def test_quiet_sound_is_raised_to_the_usual_level(level_dbfs: float) -> None:
    assert level_dbfs + 20 * np.log10(gain_for(level_dbfs)) == pytest.approx(USUAL_DBFS, abs=1e-3)


def test_the_gain_is_limited() -> None:
    assert 20 * np.log10(gain_for(-120.0)) == pytest.approx(MOST_GAIN_DB, abs=1e-3)
