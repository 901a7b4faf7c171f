"""Air: the noise of breath, bow, brush and hammer, which soft sampled sounds lack above 5 kHz.

Recorded instruments sound up to the limit of hearing; behind a closed filter, a soft sample has nothing there
that a gain could raise. The missing octaves receive noise that follows the highs of the sound: its first
difference times fixed noise. Audio coders fill bands likewise with noise of a given level (perceptual noise
substitution, ISO/IEC 14496-3, 4.6.13). The result is linear in the sound, so the air of the stems adds up to
that of the bed.
"""

import itertools
from functools import cache

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.sound.octaves import OCTAVES, middle_and_side, octaves_of
from etbgm_riffusion.composer.sound.synth import Parts
from etbgm_riffusion.types import Stereo

Taps = NDArray[np.float64]

FALLS_DB = (24.0, 15.0, 15.0)
"""How far the energy of the octaves at 4, 8 and 16 kHz may lie below the octave before: about twice as far
as in recorded music, and no further than in its darkest pieces."""

_FIRST = len(OCTAVES) - len(FALLS_DB)

_TOP_HZ = 20000.0
_TAPS = 255


def air_of(sound: Stereo, sample_rate_hz: int) -> Taps | None:
    """Returns the filter from `breath` to the air that `sound` lacks, (taps,); None if it lacks nothing."""
    middle, side = middle_and_side(sound)
    energies = octaves_of(middle, sample_rate_hz) + octaves_of(side, sample_rate_hz)
    offered = octaves_of(breath(middle), sample_rate_hz)
    gains = np.zeros(len(FALLS_DB))
    for place, fall_db in enumerate(FALLS_DB):
        octave = _FIRST + place
        missing = energies[octave - 1] * 10 ** (-fall_db / 10) - energies[octave]
        if missing > 0:
            gains[place] = np.sqrt(missing / offered[octave])
            energies[octave] += missing
    return gains @ _octave_filters(sample_rate_hz) if gains.any() else None


def add_air(parts: Parts, taps: Taps | None) -> None:
    """Adds the air of each sound to its middle, in place; None adds nothing."""
    from scipy.signal import oaconvolve

    if taps is None:
        return
    for part in parts:
        air = oaconvolve(breath(middle_and_side(part)[0]), taps.astype(np.float32))[: len(part)]
        part[:] += air[:, None]


def breath(middle: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns noise with the envelope of the highs of `middle`, linear in it, (samples,).

    The first difference rises by 6 dB per octave, so basses hardly move the noise.
    """
    noise = np.random.default_rng(3).random(len(middle), np.float32) - np.float32(0.5)
    return np.diff(middle, prepend=np.float32(0)) * noise


@cache
def _octave_filters(sample_rate_hz: int) -> Taps:
    """Returns linear-phase band-passes of the octaves, (octaves, taps), which delay by 2.6 ms at 48 kHz."""
    from scipy.signal import firwin

    edges_hz = [OCTAVES[_FIRST].middle_hz * 2 ** (place - 0.5) for place in range(len(FALLS_DB))] + [_TOP_HZ]
    pairs = itertools.pairwise(edges_hz)
    return np.array([firwin(_TAPS, pair, pass_zero=False, fs=sample_rate_hz) for pair in pairs])
