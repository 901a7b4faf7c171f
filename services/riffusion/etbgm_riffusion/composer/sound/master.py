"""The last step of the sound: one gain curve for the bed, which its stems share.

Peaks above a knee are held below a ceiling. The gain looks equally far ahead and back, on a fixed grid of
the piece. It depends only on the bed around a sample, so that cuts are inaudible, and changes more slowly
than any tone, so that nothing is distorted. The mean of minima, as in U. Zölzer, "DAFX", 2nd ed., 4.2.1.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.sound.synth import Parts
from etbgm_riffusion.types import Stereo

_STEP = 64
"""Samples per computed gain; the gain is linear in between."""

_HELD = 16
"""Steps before and after a peak for which the gain stays down: 43 ms in total at 48 kHz, longer than half
a period of the lowest tone (E1: 12 ms), so that each of its waves gets one gain."""

_SMOOTH = np.hanning(2 * _HELD + 1)[1:-1] / _HELD
"""Weights of the mean, one step narrower on each side than the hold, so that no peak slips through."""

_REACH = 2 * _HELD * _STEP
"""Samples that the gain looks ahead, and back."""

_KNEE, _CEILING = 0.6, 0.88
"""Linear amplitudes; the ceiling is -1.1 dBFS."""

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
        gain = gain_of(held[0])[here] * _fades(first, end, total, sample_rate_hz)
        yield held[:, here] * gain.astype(np.float32)[:, None]
        first = end
        kept = max(place, first // _STEP * _STEP - _REACH)
        held, place = held[:, kept - place :], kept


def gain_of(bed: Stereo) -> NDArray[np.float64]:
    """Returns the gain of each sample, (0, 1], (samples,); the bed is surrounded by silence."""
    steps = -(-len(bed) // _STEP)
    loud = np.zeros(steps * _STEP)
    np.maximum(np.abs(bed[:, 0]), np.abs(bed[:, 1]), out=loud[: len(bed)])
    peaks = np.zeros(steps + 4 * _HELD)
    peaks[2 * _HELD : 2 * _HELD + steps] = loud.reshape(-1, _STEP).max(axis=1)
    needed = _bend(np.lib.stride_tricks.sliding_window_view(peaks, 2 * _HELD + 1).max(axis=1))
    edges = np.zeros(steps + 1)
    for shift, weight in enumerate(_SMOOTH):  # unlike convolution, rounds the same wherever the array begins
        edges += weight * needed[shift + 1 : shift + 2 + steps]
    gain = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(_STEP) / _STEP)
    return gain.reshape(-1)[: len(bed)]


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
