"""The dip under speech: a linear, causal filter of every unit's sound, which `room` applies.

It starts silent with each unit, and its weight depends only on absolute time. So units and stems still
add up, and a cue's samples do not depend on where it is cut. The section is after R. Bristow-Johnson,
"Cookbook formulae for audio EQ biquad filter coefficients" (W3C note, 2021).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Span

_PRESENCE = (2000.0, 2.3, -5.0)
"""The dip under speech: 4.1 dB of the energy at 1-4 kHz, which carries intelligibility, if the spectrum
falls by 3 dB per octave. Its phase stays below 17°, so that a fade between the sound and its dipped
version is nowhere more than 0.1 dB from the mean of their levels."""

DIP_RAMP_S = 0.8
"""The dip starts this long before speech and ends this long after it."""


class Dip(NamedTuple):
    """A dip of a unit's sound."""

    weight: NDArray[np.float32]
    """How much of the change each sample receives, (samples,) in [0, 1]."""
    change: NDArray[np.complex64]
    """Spectrum of what the full dip adds to a sound."""


def dip_of(start: int, samples: int, speech: Sequence[Span], sample_rate_hz: int, size: int) -> Dip | None:
    """Returns the dip of a unit whose first sample is sample `start` of the piece; None without speech.

    `size` is the number of samples of the Fourier transform.
    """
    weight = dip_weight(start, samples, speech, sample_rate_hz)
    return None if weight is None else Dip(weight.astype(np.float32), _change(sample_rate_hz, size))


@cache
def _change(sample_rate_hz: int, size: int) -> NDArray[np.complex64]:
    back = np.exp(-2j * np.pi * np.fft.rfftfreq(size)) ** np.arange(3)[:, None]
    numerator, denominator = np.reshape(_peak(*_PRESENCE, sample_rate_hz), (2, 3)) @ back
    return np.asarray(numerator / denominator - 1, np.complex64)


def dip_weight(
    start: int, samples: int, speech: Sequence[Span], sample_rate_hz: int
) -> NDArray[np.float64] | None:
    """Returns the weight of the dip at each sample, in [0, 1]; None if it is 0 everywhere."""
    begin_s, end_s = start / sample_rate_hz - DIP_RAMP_S, (start + samples) / sample_rate_hz + DIP_RAMP_S
    first = bisect_left(speech, begin_s, key=lambda span: span.end_s)
    last = bisect_left(speech, end_s, key=lambda span: span.start_s)
    if first >= last:
        return None
    weight = np.zeros(samples)
    for span in speech[first:last]:
        edges_s = (span.start_s - DIP_RAMP_S, span.start_s, span.end_s, span.end_s + DIP_RAMP_S)
        edges = [min(samples, max(0, round(edge_s * sample_rate_hz) - start)) for edge_s in edges_s]
        weight[edges[1] : edges[2]] = 1
        for begin, end in (edges[:2], edges[2:]):
            time_s = np.arange(start + begin, start + end) / sample_rate_hz
            outside_s = np.maximum(span.start_s - time_s, time_s - span.end_s)
            near = np.clip(1 - outside_s / DIP_RAMP_S, 0, 1)
            np.maximum(weight[begin:end], near * near * (3 - 2 * near), out=weight[begin:end])
    return weight


def _peak(middle_hz: float, octaves: float, gain_db: float, sample_rate_hz: int) -> tuple[float, ...]:
    """Returns a bell or dip that has this width at half its decibels."""
    turn, gain = 2 * math.pi * middle_hz / sample_rate_hz, 10 ** (gain_db / 40)
    sine, cosine = math.sin(turn), math.cos(turn)
    alpha = sine * math.sinh(math.log(2) / 2 * octaves * turn / sine)
    return _section(
        (1 + alpha * gain, -2 * cosine, 1 - alpha * gain), (1 + alpha / gain, -2 * cosine, 1 - alpha / gain)
    )


def _section(numerator: tuple[float, ...], denominator: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(coefficient / denominator[0] for coefficient in (*numerator, *denominator))
