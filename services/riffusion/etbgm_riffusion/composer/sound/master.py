"""The last step of the sound: gains for the bed, which its stems share, so that they still add up to it.

Loud passages are compressed, peaks held below a ceiling, and waves gently bent (saturation). The gain of the
first two looks equally far ahead and back, on a fixed grid of the piece. It depends only on the bed around a
sample, so that cuts are inaudible, and changes more slowly than any tone, so that it distorts nothing. The
mean of minima, as in U. Zölzer, "DAFX", 2nd ed., 4.2.1.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.sound.synth import Parts
from etbgm_riffusion.types import Stereo

_STEP = 64
"""Samples per computed gain; the gain is linear in between."""

_GLUE = 112
"""Steps before and after a moment whose mean level decides the compression: 0.3 s in total at 48 kHz."""
_GLUE_WEIGHTS = np.hanning(2 * _GLUE + 1)[:-1] / _GLUE

_GLUE_FROM = 10 ** (-17.5 / 10)
"""Mean square above which the level rises by half a decibel for each one that was played (2:1)."""

_HELD = 16
"""Steps before and after a peak for which the gain stays down: 43 ms in total at 48 kHz, longer than half
a period of the lowest tone (E1: 12 ms), so that each of its waves gets one gain."""

_SMOOTH = np.hanning(2 * _HELD + 1)[1:-1] / _HELD
"""Weights of the mean, one step narrower on each side than the hold, so that no peak slips through."""

_REACH = (2 * _HELD + _GLUE + 1) * _STEP
"""Samples that the gain looks ahead, and back."""

_KNEE, _CEILING = 0.36, 0.52
"""Linear amplitudes before saturation."""

_SATURATED = 0.4
"""Amplitude that saturation approaches: 12.5 dB above the loudness of neutral music."""

_MAKE_UP = 10 ** (0.4 / 20)
"""Restores the mean of all styles and emotions to -20.5 LUFS, the target of `balance`."""

_FADE_IN_S = 0.01
_FADE_OUT_S = 1.5


def reach(first: int, last: int, total: int) -> tuple[int, int]:
    """Returns the range of samples that determine the gain of [first, last); the piece has `total`."""
    return max(0, first // _STEP * _STEP - _REACH), min(total, -(-last // _STEP) * _STEP + _REACH)


def mastered(
    blocks: Iterator[Parts], first: int, last: int, total: int, sample_rate_hz: int
) -> Iterator[Parts]:
    """Yields [first, last) of the piece in blocks, levelled by their first part, the bed.

    `blocks` are contiguous and cover all of its `reach`.
    """
    place, finish = reach(first, last, total)
    held = None
    for block in blocks:
        held = block if held is None else np.concatenate([held, block], axis=1)
        known = place + held.shape[1]
        end = last if known == finish else min(last, known // _STEP * _STEP - _REACH)
        if end <= first:
            continue
        here = slice(first - place, end - place)
        gain = _MAKE_UP * gain_of(held[0])[here] * _fades(first, end, total, sample_rate_hz)
        even = gain.astype(np.float32)[:, None]
        yield held[:, here] * (even * saturation(held[0, here] * even))
        first = end
        kept = max(place, first // _STEP * _STEP - _REACH)
        held, place = held[:, kept - place :], kept


def gain_of(bed: Stereo) -> NDArray[np.float64]:
    """Returns the gain of each sample, (0, 1], (samples,); the bed is surrounded by silence."""
    steps = -(-len(bed) // _STEP)
    loud = np.zeros((steps * _STEP, 2), np.float32)
    np.abs(bed, out=loud[: len(bed)])
    loud = loud.reshape(steps, -1)
    glue = _glue((loud * loud).mean(axis=1, dtype=np.float64))
    peaks = np.zeros(steps + 4 * _HELD)
    peaks[2 * _HELD : 2 * _HELD + steps] = loud.max(axis=1) * np.maximum(glue[:-1], glue[1:])
    needed = _bend(np.lib.stride_tricks.sliding_window_view(peaks, 2 * _HELD + 1).max(axis=1))
    edges = glue * _weighted(needed[1:], _SMOOTH, steps + 1)
    gain = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(_STEP) / _STEP)
    return gain.reshape(-1)[: len(bed)]


def saturation(sound: Stereo) -> Stereo:
    """Returns gains that bend each wave towards `_SATURATED`, (samples, 2), as tape and transformers do.

    The gain is tanh(u) / u, by the first terms of its continued fraction (Lambert), which is off by
    less than 2.5 % and computes to the same bits everywhere. As a gain, unlike a curve, it can be shared.
    """
    squared = (sound * np.float32(1 / _SATURATED)) ** 2
    gains: Stereo = (27 + squared) / (27 + 9 * squared)
    return gains


def _glue(squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the compression at the edges of steps of these mean squares, (0, 1], (steps + 1,)."""
    mean = _weighted(np.pad(squares, _GLUE), _GLUE_WEIGHTS, len(squares) + 1)
    return np.asarray((_GLUE_FROM / np.maximum(mean, _GLUE_FROM)) ** 0.25)


def _weighted(values: NDArray[np.float64], weights: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Returns the weighted means of neighbours; unlike convolution, rounds the same wherever they begin."""
    means = np.zeros(size)
    for shift, weight in enumerate(weights):
        means += weight * values[shift : shift + size]
    return means


def _bend(peaks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the gain that bends peaks above the knee towards the ceiling."""
    room = _CEILING - _KNEE
    over = np.maximum(peaks - _KNEE, 0) / room
    gain: NDArray[np.float64] = (_KNEE + room * over / np.sqrt(1 + over * over)) / np.maximum(peaks, _KNEE)
    return np.where(peaks > _KNEE, gain, 1.0)


def _fades(begin: int, end: int, total: int, sample_rate_hz: int) -> NDArray[np.float64]:
    """Returns the gain of the piece's fade-in and fade-out at samples [begin, end)."""
    place = np.arange(begin, end)
    fade_in = min(_FADE_IN_S * sample_rate_hz, total / 4)
    fade_out = min(_FADE_OUT_S * sample_rate_hz, total / 2)
    return np.clip(np.minimum(place / fade_in, (total - 1 - place) / fade_out), 0, 1)
