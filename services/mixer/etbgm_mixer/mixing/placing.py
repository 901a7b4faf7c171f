"""Places the music under the local level of the speech.

The music's overall gain suits the mean of the speech. Under phrases that are still quieter, or where the
music itself swells, a slow curve takes it further down. It never raises the music.
"""

from collections.abc import Sequence

import numpy as np

from etbgm_mixer.loudness import FINE_STEP_S, Energies, mean_lufs
from etbgm_mixer.mixing.levelling import Decibels, Phrase, between, smoothed

TOLERANCE_LU = 1.0
"""The music may come this much closer to a phrase than requested before it is lowered."""

MOST_DB = 15.0
"""The music is not lowered further: a phrase so far below the others is hardly heard anyway."""

REACH_S = 1.0
"""The music is down this long before a phrase that needs it and stays down as long after it; phrases
that need it soon after each other therefore share one dip."""


def curve_db(voice: Energies, music: Energies, spoken: Sequence[Phrase], wanted_lu: float) -> Decibels:
    """Returns the music's further gain, 0 or less, in dB per 10 ms; energies are per 10 ms in the mix."""
    from scipy.ndimage import minimum_filter1d

    needed = [min(0.0, over_lu(voice, music, phrase) - wanted_lu + TOLERANCE_LU) for phrase in spoken]
    curve = between(spoken, np.maximum(needed, -MOST_DB), len(voice))
    if not len(curve):
        return curve
    steps = round(2 * REACH_S / FINE_STEP_S) | 1
    return smoothed(minimum_filter1d(curve, steps), 2 * REACH_S)


def over_lu(voice: Energies, music: Energies, phrase: Phrase) -> float:
    """Returns how much louder a phrase is than the music under it; inf if either is silent."""
    over = mean_lufs(phrase.of(voice)) - mean_lufs(phrase.of(music))
    return over if np.isfinite(over) else np.inf


def worst(voice: Energies, music: Energies, spoken: Sequence[Phrase]) -> tuple[Phrase, float] | None:
    """Returns the phrase that stands least over the music, and by how much; None without both."""
    found = [(over_lu(voice, music, phrase), phrase) for phrase in spoken]
    over, phrase = min(found, key=lambda one: one[0], default=(np.inf, None))
    return (phrase, over) if phrase is not None and np.isfinite(over) else None
