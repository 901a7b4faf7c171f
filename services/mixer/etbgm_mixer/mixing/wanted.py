"""The level of the music that the user asks for in spans, besides what the mix decides."""

from collections.abc import Sequence

import numpy as np

from etbgm_kit.ranges import MUSIC_LEVEL_DB
from etbgm_kit.types import MusicLevel
from etbgm_mixer.loudness import FINE_STEP_S, Energies
from etbgm_mixer.mixing.levelling import smoothed

CHANGE_S = 0.5
"""Time over which the music changes, around the ends of a span."""


def curve(levels: Sequence[MusicLevel], steps: int) -> Energies:
    """Returns the linear gain of the music per 10 ms, `steps` values: 1 outside the spans."""
    gains = np.ones(steps)
    for level in levels:
        first, end = (round(edge / FINE_STEP_S) for edge in (level.span.start_s, level.span.end_s))
        is_silent = level.gain_db <= MUSIC_LEVEL_DB[0]
        gains[first:end] = 0.0 if is_silent else 10 ** (level.gain_db / 20)
    return smoothed(gains, CHANGE_S) if levels else gains
