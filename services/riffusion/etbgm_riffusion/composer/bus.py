"""The tone of the whole: filters that every unit's sound passes, linear and causal.

Filters start silent where a unit does and weigh nothing but absolute time, so units and
stems still add up, and a cue's samples do not depend on where it is cut.
Sections after R. Bristow-Johnson, "Cookbook formulae for audio EQ biquad filter
coefficients" (W3C note, 2021).
"""

import math
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Span
from etbgm_riffusion.types import Stereo

_RUMBLE_HZ = 35.0
"""High-pass: below the lowest bass note, E1 (41 Hz), lies only what costs headroom."""

_AIR_HZ, _AIR_DB = 6000.0, 1.5
"""High shelf."""

_PRESENCE_HZ, _PRESENCE_OCTAVES, _PRESENCE_DB = 2000.0, 2.6, -5.0
"""The dip under speech at 1-4 kHz, which carries intelligibility."""

DIP_RAMP_S = 0.3
"""The dip comes this long before someone speaks and goes this long after."""

Sections = NDArray[np.float64]
"""Second-order sections as scipy takes them, (sections, 6)."""


def shape(sound: Stereo, start: int, speech: Sequence[Span], sample_rate_hz: int) -> None:
    """Filters a unit's sound in place; its first sample is sample `start` of the piece."""
    from scipy.signal import sosfilt

    tone = np.array([_high_pass(_RUMBLE_HZ, sample_rate_hz), _high_shelf(_AIR_HZ, _AIR_DB, sample_rate_hz)])
    dip = dip_sections(sample_rate_hz)
    weight = dip_weight(start, len(sound), speech, sample_rate_hz)
    for channel in sound.T:
        toned = sosfilt(tone, channel)
        if weight is not None:
            toned += weight * (sosfilt(dip, toned) - toned)
        channel[:] = toned


def dip_sections(sample_rate_hz: int) -> Sections:
    """The filter of the dip.

    Its phase stays below 17°, so that fading between the sound and its dipped version
    is nowhere more than 0.1 dB from the mean of their levels (measured).
    """
    turn = 2 * math.pi * _PRESENCE_HZ / sample_rate_hz
    width = math.sinh(math.log(2) / 2 * _PRESENCE_OCTAVES * turn / math.sin(turn))
    alpha, gain = math.sin(turn) * width, 10 ** (_PRESENCE_DB / 40)
    return np.array([_section(
        (1 + alpha * gain, -2 * math.cos(turn), 1 - alpha * gain),
        (1 + alpha / gain, -2 * math.cos(turn), 1 - alpha / gain),
    )])  # fmt: skip


def dip_weight(
    start: int, samples: int, speech: Sequence[Span], sample_rate_hz: int
) -> NDArray[np.float64] | None:
    """How much of the dip is heard at each sample, [0, 1]; None when none is at any."""
    begin_s, end_s = start / sample_rate_hz - DIP_RAMP_S, (start + samples) / sample_rate_hz + DIP_RAMP_S
    first = bisect_left(speech, begin_s, key=lambda span: span.end_s)
    last = bisect_left(speech, end_s, key=lambda span: span.start_s)
    if first >= last:
        return None
    weight = np.zeros(samples)
    for span in speech[first:last]:
        edges = (span.start_s - DIP_RAMP_S, span.end_s + DIP_RAMP_S)
        begin, end = (min(samples, max(0, round(edge * sample_rate_hz) - start)) for edge in edges)
        time_s = np.arange(start + begin, start + end) / sample_rate_hz
        outside_s = np.maximum(span.start_s - time_s, time_s - span.end_s)
        near = np.clip(1 - outside_s / DIP_RAMP_S, 0, 1)
        np.maximum(weight[begin:end], near * near * (3 - 2 * near), out=weight[begin:end])
    return weight


def _high_pass(corner_hz: float, sample_rate_hz: int) -> tuple[float, ...]:
    """Butterworth, 12 dB per octave."""
    turn = 2 * math.pi * corner_hz / sample_rate_hz
    alpha, cosine = math.sin(turn) / math.sqrt(2), math.cos(turn)
    return _section(((1 + cosine) / 2, -1 - cosine, (1 + cosine) / 2), (1 + alpha, -2 * cosine, 1 - alpha))


def _high_shelf(middle_hz: float, gain_db: float, sample_rate_hz: int) -> tuple[float, ...]:
    """As steep as it gets without a bump (S = 1)."""
    turn, gain = 2 * math.pi * middle_hz / sample_rate_hz, 10 ** (gain_db / 40)
    cosine, slope = math.cos(turn), math.sqrt(2 * gain) * math.sin(turn)
    up, down = gain + 1 + (gain - 1) * cosine, gain + 1 - (gain - 1) * cosine
    return _section(
        (gain * (up + slope), -2 * gain * (gain - 1 + (gain + 1) * cosine), gain * (up - slope)),
        (down + slope, 2 * (gain - 1 - (gain + 1) * cosine), down - slope),
    )


def _section(numerator: tuple[float, ...], denominator: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(coefficient / denominator[0] for coefficient in (*numerator, *denominator))
