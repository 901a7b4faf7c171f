"""The curves of arousal and valence."""

import numpy as np
import pytest

from etbgm_kit.types import Cut
from etbgm_mixer.picture.mood import mood, shot_lengths_s, smoothed
from etbgm_mixer.picture.seconds import Looks


def looks(motion: float, light: float, colour: float, seconds: int = 30, contrast: float = 0.2) -> Looks:
    columns = (np.full(seconds, value) for value in (motion, light, contrast, colour, 0.0))
    return Looks(*columns)


SILENCE_DB = np.full(30, -100.0)


def test_motion_cuts_and_sound_excite() -> None:
    calm = mood(looks(0.5, 0.4, 0.1), (), SILENCE_DB)
    moving = mood(looks(8.0, 0.4, 0.1), (), SILENCE_DB)
    cutting = mood(looks(0.5, 0.4, 0.1), [Cut(float(i)) for i in range(1, 30)], SILENCE_DB)
    loud = mood(looks(0.5, 0.4, 0.1), (), np.full(30, -10.0))
    for other in (moving, cutting, loud):
        assert min(other.arousal) > max(calm.arousal)
        assert other.valence == calm.valence


def test_light_and_colours_please() -> None:
    dark, bright = (mood(looks(2.0, *seen), (), SILENCE_DB) for seen in ((0.1, 0.05), (0.7, 0.25)))
    assert max(dark.valence) < -0.5 < 0.5 < min(bright.valence)


def test_a_black_picture_says_nothing_and_a_frozen_one_little() -> None:
    assert max(mood(looks(2.0, 0.05, 0.0, contrast=0.0), (), SILENCE_DB).certainty) == 0
    assert max(mood(looks(0.0, 0.5, 0.1), (), SILENCE_DB).certainty) == pytest.approx(0.5)


def test_a_shot_lasts_from_cut_to_cut() -> None:
    lengths = shot_lengths_s([Cut(2.0), Cut(5.0)], 8)
    assert lengths.tolist() == pytest.approx([2, 2, 3, 3, 3, 3, 3, 3])


def test_smoothing_keeps_a_constant_and_spreads_a_peak() -> None:
    assert smoothed(np.full(5, 0.7)) == pytest.approx(np.full(5, 0.7))
    peak = smoothed(np.eye(21)[10])
    assert peak.argmax() == 10
    assert peak[5:].sum() == pytest.approx(1.0, abs=0.01)
