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

_MOST_DB = 18.0
"""Most gain or cut of an octave: beyond it, a filter brings up what nobody played."""


class Octave(NamedTuple):
    """What the sound of an octave is brought to."""

    middle_hz: float
    share_db: float
    """Its part of the energy of recorded music, dB."""
    usual_db: float
    """Fixed gain: what the SoundFont's sounds lack on average over all emotions and styles, dB."""
    pull: float
    """Part of the distance to `share_db`, in dB, by which the sound of a unit moves then: 0 nothing, 1 all
    of it. The rest keeps emotions and instruments apart. It is small below 4 kHz, as these octaves tell
    the register of the tones."""
    width_db: float
    """Energy of the side relative to the middle in recorded music, dB."""


OCTAVES = (
    Octave(31.5, -26.0, 5.0, 0.4, -20.0),
    Octave(63, -7.5, 1.0, 0.1, -20.0),
    Octave(125, -7.3, 0.7, 0.1, -15.0),
    Octave(250, -7.7, -0.3, 0.1, -8.6),
    Octave(500, -7.7, -0.5, 0.1, -5.4),
    Octave(1000, -13.5, -3.6, 0.1, -3.6),
    Octave(2000, -17.2, -4.2, 0.15, -4.5),
    Octave(4000, -18.9, -0.3, 0.4, -3.8),
    Octave(8000, -22.3, 3.0, 0.55, -3.6),
    Octave(16000, -27.4, 7.0, 0.65, -5.0),
)
_MIDDLES = np.array([octave.middle_hz for octave in OCTAVES])
_SHARES_DB = np.array([octave.share_db for octave in OCTAVES])
_USUAL_DB = np.array([octave.usual_db for octave in OCTAVES])
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


class Balance(NamedTuple):
    """Energy of each frequency in the middle and in the side of a sound."""

    middle: Spectrum
    side: Spectrum


def balance_of(sound: Stereo) -> Balance:
    """Measures a sound."""
    from scipy.fft import rfft

    left, right = np.moveaxis(_frames(sound), 1, 0)
    middle, side = (
        (np.abs(rfft(frames * _hann())) ** 2).sum(axis=0, dtype=np.float64) / 4
        for frames in (left + right, left - right)
    )
    return Balance(middle, side)


def tone_of(balance: Balance, sample_rate_hz: int) -> Tone:
    """Returns the filters that bring a sound of that balance towards OCTAVES without changing its loudness.

    The total gain leaves the K-weighted energy (ITU-R BS.1770-5) as it is. Silence gets no filter.
    """
    middle, side = balance
    if not (middle + side).any():
        return Tone(np.ones(len(OCTAVES)), np.ones(len(OCTAVES)), np.zeros(len(OCTAVES)))
    kept, spread = _widths(octaves_of(middle, sample_rate_hz), octaves_of(side, sample_rate_hz))
    wide = middle * (1 + interpolated(spread, sample_rate_hz)) + side * interpolated(kept, sample_rate_hz)
    loudness = float(_loudness_weight(sample_rate_hz) @ (middle + side))
    gains = 10 ** (_gains_db(wide, loudness, sample_rate_hz) / 20)
    return Tone(gains, gains * np.sqrt(kept), gains * np.sqrt(spread) * _SPREAD_LOST)


def _gains_db(sound: Spectrum, loudness: float, sample_rate_hz: int) -> Spectrum:
    """Returns the gain of each octave; `loudness` is the K-weighted energy to reach."""
    usual = octaves_of(sound, sample_rate_hz) * 10 ** (_USUAL_DB / 10)
    wanted_db = _decibels(usual) + _PULLS * (_SHARES_DB - _decibels(usual))
    gains_db = np.zeros(len(OCTAVES))
    for _ in range(_ROUNDS):
        reached = sound * interpolated(10 ** (gains_db / 10), sample_rate_hz)
        gains_db += wanted_db - _decibels(octaves_of(reached, sample_rate_hz))
        gains_db += _make_up_db(sound, gains_db, loudness, sample_rate_hz)
        gains_db = np.clip(gains_db, -_MOST_DB, _MOST_DB)
    return gains_db + _make_up_db(sound, gains_db, loudness, sample_rate_hz)


def interpolated(values: Spectrum, sample_rate_hz: int, window: int = _WINDOW) -> Spectrum:
    """Returns positive values at OCTAVES for the frequencies of a spectrum, linear in logarithms."""
    frequency_hz = np.maximum(np.fft.rfftfreq(window, 1 / sample_rate_hz), 1.0)
    levels = np.interp(np.log(frequency_hz), np.log(_MIDDLES), np.log(np.maximum(values, 1e-9)))
    return np.asarray(np.exp(levels))


def _widths(middle: Spectrum, side: Spectrum) -> tuple[Spectrum, Spectrum]:
    """Returns how much of the side is kept, and how much of the middle is spread to it, as energies."""
    spread = np.maximum(0, _WIDTHS * middle - side) / np.maximum(middle, 1e-20)
    kept = np.sqrt(np.minimum(1, _WIDTHS * middle / np.maximum(side, 1e-20)))
    return kept, spread


def _make_up_db(sound: Spectrum, gains_db: Spectrum, loudness: float, sample_rate_hz: int) -> float:
    after = _loudness_weight(sample_rate_hz) @ (sound * interpolated(10 ** (gains_db / 10), sample_rate_hz))
    return float(10 * np.log10(loudness / after))


def _decibels(energies: Spectrum) -> Spectrum:
    return np.asarray(10 * np.log10(energies / energies.sum() + 1e-9))


def _frames(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the measured windows of (samples, ...), (windows, ..., _WINDOW); silence follows the end."""
    padding = [(0, _WINDOW), *[(0, 0)] * (sound.ndim - 1)]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(sound, padding), _WINDOW, axis=0)
    return windows[: len(sound) : _HOP]


@cache
def _hann() -> NDArray[np.float32]:
    return np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


def power_of(channel: NDArray[np.float32]) -> Spectrum:
    """Returns the energy of each frequency of a channel, summed over windows."""
    from scipy.fft import rfft

    power: Spectrum = (np.abs(rfft(_frames(channel) * _hann())) ** 2).sum(axis=0, dtype=np.float64)
    return power


def octaves_of(power: Spectrum, sample_rate_hz: int) -> Spectrum:
    """Returns the energy of each octave, (10,)."""
    return np.asarray(_bands(sample_rate_hz) @ power)


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
