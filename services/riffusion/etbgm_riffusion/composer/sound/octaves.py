"""The balance and the width of a sound by octaves, and the filters that bring them to recorded music's."""

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.types import Stereo

Spectrum = NDArray[np.float64]

_WINDOW = 8192
_HOP = 16384
"""Samples between measured windows: a sample of the spectrum is enough for octaves."""

_SPREAD_LOST = 10 ** (1.5 / 20)
"""What the filter of the spread middle loses between octaves, where its curve bends most."""

_ROUNDS = 3
"""Times that the gains are corrected by what they reach, as the curve is not flat inside an octave."""

_MOST_DB = 30.0
"""Gain or cut of an octave: beyond it, a filter brings up what nobody played."""


class Octave(NamedTuple):
    """What the sound of an octave is brought to."""

    middle_hz: float
    share_db: float
    """Its part of the energy of recorded music, dB."""
    pull: float
    """Fraction of the distance to `share_db`, in dB, by which the sound moves: 0 nothing, 1 all of it. The
    rest keeps apart emotions, styles and instruments."""
    width_db: float
    """Energy of the side relative to the middle in recorded music, dB."""


OCTAVES = (
    Octave(31.5, -26.0, 0.8, -20.0),
    Octave(63, -7.5, 0.6, -20.0),
    Octave(125, -7.3, 0.6, -15.0),
    Octave(250, -7.7, 0.8, -8.6),
    Octave(500, -7.7, 0.8, -5.4),
    Octave(1000, -13.5, 0.9, -3.6),
    Octave(2000, -17.2, 0.8, -4.5),
    Octave(4000, -18.9, 0.75, -3.8),
    Octave(8000, -22.3, 0.85, -3.6),
    Octave(16000, -27.4, 1.0, -5.0),
)
_MIDDLES = np.array([octave.middle_hz for octave in OCTAVES])
_SHARES_DB = np.array([octave.share_db for octave in OCTAVES])
_PULLS = np.array([octave.pull for octave in OCTAVES])
_WIDTHS = 10 ** (np.array([octave.width_db for octave in OCTAVES]) / 10)


@dataclass(frozen=True, slots=True)
class Tone:
    """Filters by their gains at the middles of OCTAVES, linear amplitudes (10,)."""

    middle: Spectrum
    """From the middle to the middle."""
    side: Spectrum
    """From the side to the side."""
    spread: Spectrum
    """From the middle, decorrelated, to the side."""


def tone_of(sound: Stereo, sample_rate_hz: int) -> Tone:
    """Returns the filters that bring `sound` towards OCTAVES without changing its loudness.

    The total gain leaves the K-weighted energy (ITU-R BS.1770-5) as it is. Silence gets no filter.
    """
    left, right = sound.T
    middle, side = _power((left + right) / 2), _power((left - right) / 2)
    total = middle + side
    heard = _bands(sample_rate_hz) @ total
    if not heard.any():
        return Tone(np.ones(len(OCTAVES)), np.ones(len(OCTAVES)), np.zeros(len(OCTAVES)))
    wanted_db = _decibels(heard) + _PULLS * (_SHARES_DB - _decibels(heard))
    gains_db = np.zeros(len(OCTAVES))
    for _ in range(_ROUNDS):
        reached = _bands(sample_rate_hz) @ (total * interpolated(10 ** (gains_db / 10), sample_rate_hz))
        missing_db = wanted_db - _decibels(reached)
        gains_db = np.clip(gains_db + missing_db - missing_db.mean(), -_MOST_DB, _MOST_DB)
    gains = 10 ** (gains_db / 20) * _make_up(total, gains_db, sample_rate_hz)
    return Tone(gains, *_widths(gains, _bands(sample_rate_hz) @ middle, _bands(sample_rate_hz) @ side))


def interpolated(values: Spectrum, sample_rate_hz: int, window: int = _WINDOW) -> Spectrum:
    """Returns positive values at OCTAVES for the frequencies of a spectrum, linear in logarithms."""
    frequency_hz = np.maximum(np.fft.rfftfreq(window, 1 / sample_rate_hz), 1.0)
    levels = np.interp(np.log(frequency_hz), np.log(_MIDDLES), np.log(np.maximum(values, 1e-9)))
    return np.asarray(np.exp(levels))


def _widths(gains: Spectrum, middle: Spectrum, side: Spectrum) -> tuple[Spectrum, Spectrum]:
    """Returns the gains of the side and of the spread middle that make the side as strong as wanted."""
    missing = np.maximum(0, _WIDTHS * middle - side) / np.maximum(middle, 1e-20)
    narrowed = np.sqrt(np.minimum(1, _WIDTHS * middle / np.maximum(side, 1e-20)))
    return gains * np.sqrt(narrowed), gains * np.sqrt(missing) * _SPREAD_LOST


def _make_up(total: Spectrum, gains_db: Spectrum, sample_rate_hz: int) -> float:
    weight = _loudness_weight(sample_rate_hz)
    after = (weight * total * interpolated(10 ** (gains_db / 10), sample_rate_hz)).sum()
    return float(np.sqrt((weight * total).sum() / after))


def _decibels(energies: Spectrum) -> Spectrum:
    return np.asarray(10 * np.log10(energies / energies.sum() + 1e-9))


def _power(channel: NDArray[np.float32]) -> Spectrum:
    """Returns the energy of each frequency, summed over windows."""
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    power = np.zeros(_WINDOW // 2 + 1)
    padded = np.pad(channel, (0, -len(channel) % _HOP))
    for start in range(0, len(padded), _HOP):
        power += np.abs(np.fft.rfft(padded[start : start + _WINDOW] * window)) ** 2
    return power


@cache
def _bands(sample_rate_hz: int) -> Spectrum:
    """Returns which frequencies belong to which octave, (octaves, frequencies)."""
    frequency_hz = np.fft.rfftfreq(_WINDOW, 1 / sample_rate_hz)
    return np.array([np.abs(np.log2((frequency_hz + 1e-9) / m)) < 0.5 for m in _MIDDLES]).astype(float)


@cache
def _loudness_weight(sample_rate_hz: int) -> Spectrum:
    """Returns the K-weighting of energies, from the analogue filters behind ITU-R BS.1770-5, annex 1.

    A high shelf of +4 dB at 1682 Hz (Q 0.707) and a high-pass at 38 Hz (Q 0.5), as in the De Man (2018)
    formulae that pyloudnorm uses.
    """
    s = 1j * np.fft.rfftfreq(_WINDOW, 1 / sample_rate_hz)
    shelf, quality = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    u = s / 1681.974450955533
    high = (shelf * u**2 + shelf**0.4996667741545416 * u / quality + 1) / (u**2 + u / quality + 1)
    v = s / 38.13547087602444
    low = v**2 / (v**2 + v / 0.5003270373238773 + 1)
    return np.asarray(np.abs(high * low) ** 2)
