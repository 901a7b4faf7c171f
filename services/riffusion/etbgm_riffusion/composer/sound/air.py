"""Air: the noise of breath, bow, brush and hammer, which soft sampled sounds lack above 5 kHz.

Recorded instruments sound up to the limit of hearing; behind a closed filter, a soft sample has nothing there
that a gain could raise. The missing octaves receive noise that follows the highs of the sound: its second
difference times fixed noise. Audio coders fill bands likewise with noise of a given level (perceptual noise
substitution, ISO/IEC 14496-3, 4.6.13). The result is linear in the sound, so the air of the stems adds up to
that of the bed.
"""

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.sound.octaves import OCTAVES, middle_and_side, octaves_of
from etbgm_riffusion.composer.sound.synth import Parts
from etbgm_riffusion.types import Stereo

Taps = NDArray[np.float64]

FALLS_DB = (30.0, 22.0, 10.0)
"""How far the energy of the octaves at 4, 8 and 16 kHz may lie below the octave before: far where brightness
tells the emotions apart, little above."""

_FIRST = len(OCTAVES) - len(FALLS_DB)

_FROM_HZ, _TOP_HZ = 2800.0, 20000.0
_PLACES = 24
_LEAST = 1e-3
"""Gain of octaves that lack nothing, relative to the highest."""
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
    return _filter(gains, sample_rate_hz) if gains.any() else None


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

    The second difference rises by 12 dB per octave, so the noise fades with the highs of a note, not with its
    tone.
    """
    noise = np.random.default_rng(3).random(len(middle), np.float32) - np.float32(0.5)
    return np.diff(middle, 2, prepend=np.zeros(2, np.float32)) * noise


def _filter(gains: NDArray[np.float64], sample_rate_hz: int) -> Taps:
    """Returns a linear-phase filter through the gains of the octaves, which delays by 2.6 ms at 48 kHz."""
    from scipy.signal import firwin2

    middles_hz = [octave.middle_hz for octave in OCTAVES[_FIRST:]]
    places_hz = np.geomspace(_FROM_HZ, _TOP_HZ, _PLACES)
    levels = np.interp(np.log(places_hz), np.log(middles_hz), np.log(np.maximum(gains, _LEAST * gains.max())))
    edges_hz = (0, _FROM_HZ * 0.99, *places_hz, _TOP_HZ * 1.01, sample_rate_hz / 2)
    return np.asarray(firwin2(_TAPS, edges_hz, (0, 0, *np.exp(levels), 0, 0), fs=sample_rate_hz))
