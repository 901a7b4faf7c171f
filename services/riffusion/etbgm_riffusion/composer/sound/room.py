"""The room, and the filters of a `Tone`, as impulse responses.

A sound is filtered as middle (L + R) / 2 and side (L - R) / 2. Its middle passes the tone's filter and a
small room; its side receives, besides itself, the middle spread by noise that decays within 0.1 s. As only
the side has it, the sum of both channels is free of the spreading. All responses are made here, from fixed
random numbers.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.sound.octaves import Spectrum, Tone, interpolated
from etbgm_riffusion.composer.sound.synth import Parts

_SIZE = 1 << 16
"""Samples of a Fourier transform."""
_LENGTH = 1 << 14
"""Samples of the responses: 0.34 s at 48 kHz."""
_FADE = 1 << 12

_SPREAD_S, _ROOM_S = 0.1, 0.5
"""Times in which noise falls by 60 dB."""
_FIRST_S = 0.0015
"""When the spread middle begins."""
_ROOM_FROM_S = 0.009

_RUMBLE_HZ = 25.0
"""High-pass, 12 dB per octave: sound below the lowest bass note, E1 (41 Hz), only costs headroom."""

_ROOM = 0.25
"""Amplitude of the room relative to the direct sound."""
_ROOM_HZ = (150.0, 5000.0)

Responses = tuple[NDArray[np.complex64], ...]


def responses(tone: Tone, sample_rate_hz: int) -> Responses:
    """Returns the spectra of the responses middle to middle, side to side and middle to side."""
    spread, room = _spread(sample_rate_hz), _room(sample_rate_hz)
    made = (
        _convolved(room, _minimum_phase(tone.middle, sample_rate_hz)),
        _minimum_phase(tone.side, sample_rate_hz),
        _convolved(spread, _minimum_phase(tone.spread, sample_rate_hz)),
    )
    fade = np.ones(_LENGTH)
    fade[-_FADE:] = np.cos(np.linspace(0, np.pi / 2, _FADE)) ** 2
    spectra = (np.fft.rfft(response * fade, _SIZE) for response in made)
    return tuple(spectrum.astype(np.complex64) for spectrum in spectra)


def pass_through(parts: Parts, through: Responses) -> None:
    """Filters sounds in place, from silence; what would come after their end is left out.

    Each sample depends only on those before it, and on blocks that are counted from the first sample.
    """
    middle_to_middle, side_to_side, middle_to_side = through
    own = _SIZE - _LENGTH
    for part in parts:
        samples = len(part)
        pending = np.zeros((2, _LENGTH), np.float32)
        for start in range(0, samples, own):
            block = part[start : start + own]
            middle = np.fft.rfft((block[:, 0] + block[:, 1]) / 2, _SIZE)
            side = np.fft.rfft((block[:, 0] - block[:, 1]) / 2, _SIZE)
            made = (
                np.fft.irfft(middle * middle_to_middle, _SIZE),
                np.fft.irfft(side * side_to_side + middle * middle_to_side, _SIZE),
            )
            for channel, rest in zip(made, pending, strict=True):
                channel[:_LENGTH] += rest
                rest[:] = channel[own:]
            block[:, 0] = (made[0] + made[1])[: len(block)]
            block[:, 1] = (made[0] - made[1])[: len(block)]


@cache
def _spread(sample_rate_hz: int) -> Spectrum:
    """Returns noise with the energy 1, (_LENGTH,)."""
    noise = _noise(1, _SPREAD_S, _FIRST_S, sample_rate_hz)
    return np.asarray(noise / np.sqrt((noise**2).sum()))


@cache
def _room(sample_rate_hz: int) -> Spectrum:
    """Returns the direct sound and the room's, whose walls swallow highs and lows, (_LENGTH,)."""
    from scipy.signal import butter, sosfilt

    walls = butter(1, _ROOM_HZ, "bandpass", fs=sample_rate_hz, output="sos")
    noise = sosfilt(walls, _noise(2, _ROOM_S, _ROOM_FROM_S, sample_rate_hz))
    noise *= _ROOM / np.sqrt((noise**2).sum())
    noise[0] += 1
    return np.asarray(noise)


def _noise(number: int, decay_s: float, first_s: float, sample_rate_hz: int) -> Spectrum:
    """Returns noise that decays by 60 dB in `decay_s`, (_LENGTH,)."""
    time_s = np.arange(_LENGTH) / sample_rate_hz
    noise = np.random.default_rng(number).normal(size=_LENGTH) * 10 ** (-3 * time_s / decay_s)
    noise[time_s < first_s] = 0
    return np.asarray(noise)


def _minimum_phase(gains: Spectrum, sample_rate_hz: int) -> Spectrum:
    """Returns the causal response with these gains at the octaves' middles that begins soonest.

    From the real cepstrum: Oppenheim & Schafer, "Discrete-time signal processing", 3rd ed., 13.5.
    """
    magnitude = interpolated(gains, sample_rate_hz, _SIZE)
    frequency_hz = np.fft.rfftfreq(_SIZE, 1 / sample_rate_hz)
    rumble = (frequency_hz / _RUMBLE_HZ) ** 4
    magnitude = magnitude * np.sqrt(np.maximum(rumble / (1 + rumble), 1e-6))
    cepstrum = np.fft.irfft(np.log(magnitude))
    cepstrum[1 : _SIZE // 2] *= 2
    cepstrum[_SIZE // 2 + 1 :] = 0
    return np.asarray(np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[:_LENGTH])


def _convolved(one: Spectrum, other: Spectrum) -> Spectrum:
    return np.asarray(np.fft.irfft(np.fft.rfft(one, 2 * _LENGTH) * np.fft.rfft(other, 2 * _LENGTH))[:_LENGTH])
