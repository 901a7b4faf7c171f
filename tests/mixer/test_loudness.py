"""The meter against EBU Tech 3341's signals and against pyloudnorm."""

import numpy as np
import pyloudnorm
import pytest

from etbgm_kit.types import Span
from etbgm_mixer import loudness
from etbgm_mixer.loudness import Energies, LoudnessMeter
from tests.mixer.conftest import RATE_HZ, Sound, noise, sine


def energies(sound: Sound, block: int = RATE_HZ) -> Energies:
    meter = LoudnessMeter(sound.shape[1])
    for first in range(0, len(sound), block):
        meter.feed(sound[first : first + block])
    return meter.energies()


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        ([(20, -23.0)], -23.0),
        ([(20, -33.0)], -33.0),
        ([(10, -36.0), (60, -23.0), (10, -36.0)], -23.0),
        ([(10, -72.0), (10, -36.0), (60, -23.0), (10, -36.0), (10, -72.0)], -23.0),
        ([(20, -26.0), (20.1, -20.0), (20, -26.0)], -23.0),
    ],
)
def test_ebu_tech_3341_cases_1_to_5(parts: list[tuple[float, float]], lufs: float) -> None:
    """A stereo sine of 1 kHz at -23 dBFS has -23 LUFS; tolerance 0.1 LU."""
    sound = np.concatenate([sine(seconds, level_db) for seconds, level_db in parts])
    assert loudness.integrated_lufs(energies(sound)) == pytest.approx(lufs, abs=0.1)


def test_agrees_with_pyloudnorm() -> None:
    sound = np.concatenate([noise(5, -30), noise(5, -18, seed=2), sine(5, -25, 300)])
    reference = pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound.astype(np.float64))
    assert loudness.integrated_lufs(energies(sound)) == pytest.approx(reference, abs=0.1)


@pytest.mark.parametrize("block", [1000, 4800, 7919])
def test_blocks_of_any_size_give_the_same(block: int) -> None:
    sound = noise(3)
    np.testing.assert_allclose(energies(sound, block), energies(sound), rtol=1e-9)


def test_silence_and_too_short_sound() -> None:
    assert loudness.integrated_lufs(energies(np.zeros((RATE_HZ, 2), np.float32))) == -np.inf
    assert loudness.integrated_lufs(energies(noise(0.3))) == -np.inf
    assert loudness.loudness_lufs(energies(sine(0.3, -23))) == pytest.approx(-23, abs=1.5)


def test_spans_choose_whole_steps() -> None:
    sound = np.concatenate([sine(1, -40), sine(1, -20), sine(1, -40)])
    inside = loudness.within(energies(sound), [Span(1.0, 2.0)])
    assert len(inside) == 10
    assert loudness.mean_lufs(inside) == pytest.approx(-20, abs=0.2)
