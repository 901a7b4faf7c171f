"""The room, and the filters of a `Tone`, as impulse responses.

A sound is filtered as middle (L + R) / 2 and side (L - R) / 2. Its middle passes the tone's filter and a
small room; its side receives, besides itself, the middle spread by noise that decays within 0.1 s. As only
the side has it, the sum of both channels is free of the spreading. All responses are made here, from fixed
random numbers.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.sound.dip import Dip
from etbgm_riffusion.composer.sound.octaves import Spectrum, Tone, interpolated
from etbgm_riffusion.composer.sound.synth import Parts

SIZE = 1 << 16
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
    from scipy.fft import irfft, rfft

    tones = _minimum_phase((tone.middle, tone.side, tone.spread), sample_rate_hz)
    after = _rooms(sample_rate_hz)
    made = irfft(rfft(tones, 2 * _LENGTH) * after, 2 * _LENGTH)[:, :_LENGTH]
    made[:, -_FADE:] *= np.cos(np.linspace(0, np.pi / 2, _FADE)) ** 2
    return tuple(rfft(made, SIZE).astype(np.complex64))


def pass_through(parts: Parts, through: Responses, dip: Dip | None = None) -> None:
    """Filters sounds in place, from silence, then dips them; what would come after their end is left out.

    Each sample depends only on those before it, and on blocks that are counted from the first sample.
    """
    from scipy.fft import irfft, rfft

    middle_to_middle, side_to_side, middle_to_side = through
    own = SIZE - _LENGTH
    for part in parts:
        pending = np.zeros((2 if dip is None else 4, _LENGTH), np.float32)
        for start in range(0, len(part), own):
            block = part[start : start + own]
            half = block.T * np.float32(0.5)
            middle, side = rfft(np.stack([half[0] + half[1], half[0] - half[1]]), SIZE)
            made = np.stack([middle * middle_to_middle, side * side_to_side + middle * middle_to_side])
            sound = irfft(made if dip is None else np.concatenate([made, made * dip.change]), SIZE)
            sound[:, :_LENGTH] += pending
            pending, sound = sound[:, own:], sound[:, : len(block)]
            if dip is not None:
                sound[:2] += sound[2:] * dip.weight[start : start + own]
            block[:, 0], block[:, 1] = sound[0] + sound[1], sound[0] - sound[1]


@cache
def _rooms(sample_rate_hz: int) -> NDArray[np.complex128]:
    """Returns the spectra of what follows the tone's three filters, (3, _LENGTH + 1)."""
    alone = np.zeros(_LENGTH)
    alone[0] = 1
    rooms = np.stack([_room(sample_rate_hz), alone, _spread(sample_rate_hz)])
    return np.fft.rfft(rooms, 2 * _LENGTH)


def _spread(sample_rate_hz: int) -> Spectrum:
    """Returns noise with the energy 1, (_LENGTH,)."""
    noise = _noise(1, _SPREAD_S, _FIRST_S, sample_rate_hz)
    return np.asarray(noise / np.sqrt((noise**2).sum()))


def _room(sample_rate_hz: int) -> Spectrum:
    """Returns the direct sound and the room's, whose walls swallow highs and lows, (_LENGTH,)."""
    spectrum = np.fft.rfft(_noise(2, _ROOM_S, _ROOM_FROM_S, sample_rate_hz), 2 * _LENGTH)
    noise = np.fft.irfft(spectrum * _walls(sample_rate_hz))[:_LENGTH]
    noise *= _ROOM / np.sqrt((noise**2).sum())
    noise[0] += 1
    return np.asarray(noise)


def _walls(sample_rate_hz: int) -> NDArray[np.complex128]:
    """Returns the spectrum of a Butterworth band-pass of first order, by the bilinear transform."""
    low, high = np.tan(np.pi * np.array(_ROOM_HZ) / sample_rate_hz)
    # Just below half the rate, where the tangent is infinite.
    at = 1j * np.tan(np.pi * np.minimum(np.fft.rfftfreq(2 * _LENGTH), 0.5 - 1e-9))
    return np.asarray((high - low) * at / (at * at + (high - low) * at + high * low))


def _noise(number: int, decay_s: float, first_s: float, sample_rate_hz: int) -> Spectrum:
    """Returns noise that decays by 60 dB in `decay_s`, (_LENGTH,)."""
    time_s = np.arange(_LENGTH) / sample_rate_hz
    noise = np.random.default_rng(number).normal(size=_LENGTH) * 10 ** (-3 * time_s / decay_s)
    noise[time_s < first_s] = 0
    return np.asarray(noise)


def _minimum_phase(tones: Sequence[Spectrum], sample_rate_hz: int) -> NDArray[np.float64]:
    """Returns the causal responses with these gains at the octaves' middles that begin soonest.

    They are (tones, _LENGTH). From the real cepstrum: Oppenheim & Schafer, "Discrete-time signal
    processing", 3rd ed., 13.5.
    """
    from scipy.fft import irfft, rfft

    frequency_hz = np.fft.rfftfreq(SIZE, 1 / sample_rate_hz)
    rumble = (frequency_hz / _RUMBLE_HZ) ** 4
    magnitudes = np.array([interpolated(gains, sample_rate_hz, SIZE) for gains in tones])
    cepstra = irfft(np.log(magnitudes * np.sqrt(np.maximum(rumble / (1 + rumble), 1e-6))))
    cepstra[:, 1 : SIZE // 2] *= 2
    cepstra[:, SIZE // 2 + 1 :] = 0
    return np.asarray(irfft(np.exp(rfft(cepstra)))[:, :_LENGTH])
