"""Distances to a data set, seams and repeats, on sounds and pictures that have them."""

import numpy as np
import pytest

from etbgm_riffusion.training.distances import mfcc_distance, repetition, seam, spectral_distance_db
from tests.riffusion.dataset.sounds import RATE_HZ, metre, plucks

NEAR = [metre(bpm, 5.0) for bpm in (100, 118)]
NOISE = [np.random.default_rng(seed).normal(0, 0.1, (5 * RATE_HZ, 2)).astype(np.float32) for seed in (0, 1)]


@pytest.mark.parametrize("distance", [mfcc_distance, spectral_distance_db])
def test_like_sounds_are_nearer_than_unlike_ones(distance) -> None:
    like = [metre(110, 5.0, first_s=0.2)]
    assert distance(NEAR, NEAR, RATE_HZ) == pytest.approx(0, abs=1e-3)
    assert 0 < distance(like, NEAR, RATE_HZ) < 0.2 * distance(NOISE, NEAR, RATE_HZ)


def test_the_level_does_not_count() -> None:
    quiet = [0.25 * sound for sound in NEAR]
    assert spectral_distance_db(quiet, NEAR, RATE_HZ) < 0.1


def test_a_brighter_sound_is_further_away_the_brighter_it_is() -> None:
    low, higher, high = (
        [plucks(*np.arange(0, 5, 0.3), duration_s=5.0, pitch_hz=hz)] for hz in (200, 300, 1200)
    )
    assert mfcc_distance(higher, low, RATE_HZ) < mfcc_distance(high, low, RATE_HZ)


def test_a_seam_stands_out_where_it_is() -> None:
    chance = np.random.default_rng(0)
    smooth = np.cumsum(chance.normal(0, 0.01, (3, 512, 1024)), axis=2).astype(np.float32)
    assert seam(smooth, [256, 512, 768]) < 0.2
    broken = smooth.copy()
    broken[:, :, 512:] += 1
    assert seam(broken, [256, 512, 768]) > 2
    assert seam(broken, [256, 768]) < 0.2


def test_repetition_is_one_for_a_loop_and_none_for_noise() -> None:
    once = np.random.default_rng(0).uniform(-1, 1, (3, 512, 512)).astype(np.float32)
    assert repetition(np.concatenate([once, once], axis=2), 512) == pytest.approx(1)
    other = np.random.default_rng(1).uniform(-1, 1, (3, 512, 512)).astype(np.float32)
    assert abs(repetition(np.concatenate([once, other], axis=2), 512)) < 0.05
