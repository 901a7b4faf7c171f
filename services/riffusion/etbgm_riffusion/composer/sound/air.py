"""Air: the noise of breath, bow, brush and hammer, which soft sampled sounds lack above 5 kHz.

Recorded instruments sound up to the limit of hearing; behind a closed filter, a soft sample has nothing there
that a gain could raise. The missing octaves receive noise that follows the highs of the sound: its second
difference times fixed noise. Audio coders fill bands likewise with noise of a given level (perceptual noise
substitution, ISO/IEC 14496-3, 4.6.13). The result is linear in the sound, so the air of the stems adds up to
that of the bed.
"""

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.sound.octaves import OCTAVES, Balance, octaves_of, power_of
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
_SAMPLED = 257
"""Frequencies at which the filter's gain is given."""
_SIZE = 4096
"""Samples of a Fourier transform."""


def air_of(sound: Stereo, balance: Balance, sample_rate_hz: int) -> Taps | None:
    """Returns the filter from `breath` to the air that `sound` lacks, (taps,); None if it lacks nothing."""
    energies = octaves_of(balance.middle + balance.side, sample_rate_hz)
    missing = np.zeros(len(FALLS_DB))
    for place, fall_db in enumerate(FALLS_DB):
        octave = _FIRST + place
        missing[place] = max(0.0, energies[octave - 1] * 10 ** (-fall_db / 10) - energies[octave])
        energies[octave] += missing[place]
    if not missing.any():
        return None
    offered = octaves_of(power_of(breath(_middle(sound))), sample_rate_hz)[_FIRST:]
    return _filter(np.sqrt(missing / np.where(missing > 0, offered, 1)), sample_rate_hz)


def add_air(parts: Parts, taps: Taps) -> None:
    """Adds the air of each sound to its middle, in place."""
    for part in parts:
        part[:] += _convolved(breath(_middle(part)), taps)[:, None]


def _middle(sound: Stereo) -> NDArray[np.float32]:
    return (sound[:, 0] + sound[:, 1]) * np.float32(0.5)


def _convolved(channel: NDArray[np.float32], taps: Taps) -> NDArray[np.float32]:
    """Returns the convolution, (samples,), without its end, by overlap-add."""
    from scipy.fft import irfft, rfft

    own = _SIZE - _TAPS + 1
    blocks = np.zeros((-(-len(channel) // own), own), np.float32)
    blocks.reshape(-1)[: len(channel)] = channel
    made = irfft(rfft(blocks, _SIZE) * rfft(taps.astype(np.float32), _SIZE), _SIZE)
    made[1:, : _SIZE - own] += made[:-1, own:]
    result: NDArray[np.float32] = made[:, :own].reshape(-1)[: len(channel)]
    return result


def breath(middle: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns noise with the envelope of the highs of `middle`, linear in it, (samples,).

    The second difference rises by 12 dB per octave, so the noise fades with the highs of a note, not with its
    tone.
    """
    noise = np.random.default_rng(3).random(len(middle), np.float32) - np.float32(0.5)
    return np.diff(middle, 2, prepend=np.zeros(2, np.float32)) * noise


def _filter(gains: NDArray[np.float64], sample_rate_hz: int) -> Taps:
    """Returns a linear-phase filter through the gains of the octaves, which delays by 2.6 ms at 48 kHz.

    By the frequency sampling method: Oppenheim & Schafer, "Discrete-time signal processing", 3rd ed., 7.5.
    """
    middles_hz = [octave.middle_hz for octave in OCTAVES[_FIRST:]]
    places_hz = np.geomspace(_FROM_HZ, _TOP_HZ, _PLACES)
    levels = np.interp(np.log(places_hz), np.log(middles_hz), np.log(np.maximum(gains, _LEAST * gains.max())))
    edges_hz = (0, _FROM_HZ * 0.99, *places_hz, _TOP_HZ * 1.01, sample_rate_hz / 2)
    turns = np.linspace(0, 0.5, _SAMPLED)
    sampled = np.interp(turns * sample_rate_hz, edges_hz, (0, 0, *np.exp(levels), 0, 0))
    delayed = sampled * np.exp(-2j * np.pi * turns * (_TAPS // 2))
    return np.asarray(np.fft.irfft(delayed)[:_TAPS] * np.hamming(_TAPS))
