"""A streaming look-ahead true-peak limiter.

True peaks are found by 4 times oversampling (BS.1770-4, annex 2). A sliding minimum
spreads the gain that each sample needs over the look-ahead, and a Hann window of the same
length smooths it. The result is a weighted mean of values that do not exceed the gain
needed at the centre, so it is smooth and lets no peak through (U. Zölzer, "DAFX",
2nd ed., 4.2.1).
"""

from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media.waveform import Samples

LOOK_AHEAD = 240
"""Samples, 5 ms at 48 kHz: short enough to avoid pumping, long enough to avoid clicks."""

OVERSAMPLING = 4
EDGE = 16
"""Samples at either end of a piece of sound where the interpolation is not exact."""

_WINDOW = 64
"""Samples per window; each window is interpolated as a whole or not at all."""

_TAPS = 47
"""Length of the interpolation filter: 12 taps per phase, as in BS.1770-4."""

_REACH = 6
"""Samples before and after a place between two samples of which its interpolation is the weighted sum."""

_OVER_SAMPLES, _OVER_STEPS = 1.003, 0.444
"""No interpolation exceeds the first times the largest sample within its reach plus the second times the
largest step from one sample to the next: the filter's gain, and the sum of the magnitudes of its cumulated
difference from linear interpolation, both at the worst phase."""

_SURELY_BELOW = 0.5
"""Nor does it exceed the largest sample divided by this: the sum of the filter's magnitudes is 1.89."""


class Limiter:
    """Keeps true peaks at or below `ceiling` (linear, (0, 1]); delays the sound by `DELAY` samples."""

    DELAY = LOOK_AHEAD + EDGE

    def __init__(self, ceiling: float, channels: int) -> None:
        self._ceiling = ceiling
        self._before = np.zeros((2 * self.DELAY, channels), np.float32)
        window = np.hanning(LOOK_AHEAD + 3)[1:-1].astype(np.float32)
        self._window = window / window.sum()
        self.reduction_db = 0.0
        """Largest gain reduction so far, >= 0."""

    def feed(self, block: Samples) -> tuple[Samples, NDArray[np.float32]]:
        """Takes (n, channels); returns the limited input of DELAY samples ago and its gain (n, 1)."""
        sound = np.concatenate([self._before, block])
        self._before = sound[len(block) :]
        heard = sound[self.DELAY : self.DELAY + len(block)]
        gain = np.ones((len(block), 1), np.float32)
        if max(sound.max(), -sound.min()) <= self._ceiling * _SURELY_BELOW:
            return heard, gain
        peaks = true_peaks(sound, self._ceiling)
        if peaks.max() <= self._ceiling:
            return heard, gain
        gain -= self._reduction(peaks)[EDGE : EDGE + len(block), None]
        self.reduction_db = max(self.reduction_db, float(-20 * np.log10(gain.min(initial=1.0))))
        return heard * gain, gain

    def _reduction(self, peaks: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns 1 - gain for all (samples,) but LOOK_AHEAD at either end."""
        needed = (1 - self._ceiling / np.maximum(peaks, self._ceiling)).astype(np.float32)
        held = sliding_maximum(needed, LOOK_AHEAD + 1)
        reduction: NDArray[np.float32] = np.convolve(held, self._window, "valid")
        return reduction


def sliding_maximum(values: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Returns the maximum of each `width` values in a row, (len(values) - width + 1,).

    By maxima of 2, 4, 8 ... values: twenty times as fast as scipy.ndimage.
    """
    reached = 1
    while 2 * reached <= width:
        values = np.maximum(values[:-reached], values[reached:])
        reached *= 2
    rest = width - reached
    return np.maximum(values[: len(values) - rest], values[rest:])


def true_peaks(sound: Samples, above: float = 0.0) -> NDArray[np.float32]:
    """Returns the largest magnitude between each sample's neighbours over all channels, (samples,).

    Values up to `above` may be the sample's own magnitude instead.
    """
    windows = -(-len(sound) // _WINDOW)
    around = np.pad(sound, ((_WINDOW, (windows + 1) * _WINDOW - len(sound)), (0, 0)))
    own, steps = (
        reduce(np.maximum, np.abs(part.T)) for part in (around, np.diff(around, axis=0, append=around[-1:]))
    )
    bound = _OVER_SAMPLES * _near(own) + _OVER_STEPS * _near(steps)
    chosen = np.flatnonzero(bound > above)
    peaks: NDArray[np.float32] = own[_WINDOW:-_WINDOW].reshape(-1, _WINDOW)
    if len(chosen):
        heard = np.lib.stride_tricks.sliding_window_view(around, _WINDOW + 2 * EDGE, axis=0)
        pieces = heard[(chosen + 1) * _WINDOW - EDGE]
        peaks[chosen] = np.maximum(peaks[chosen], _oversampled_peaks(pieces))
    return peaks.reshape(-1)[: len(sound)]


def _near(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the maximum of each window and of its neighbours, without the first and the last window."""
    most = values.reshape(-1, _WINDOW).max(axis=1)
    near: NDArray[np.float32] = np.maximum(np.maximum(most[:-2], most[1:-1]), most[2:])
    return near


def _oversampled_peaks(pieces: Samples) -> NDArray[np.float32]:
    """Returns the true peaks of (pieces, channels, samples) without EDGE samples at either end."""
    needed = pieces[:, :, EDGE - _REACH : _REACH - EDGE]
    fine = np.lib.stride_tricks.sliding_window_view(needed, 2 * _REACH, axis=2) @ _phases()
    after = np.abs(fine).max(axis=(1, 3))
    peaks: NDArray[np.float32] = np.maximum(after[:, :-1], after[:, 1:])
    return peaks


@cache
def _phases() -> NDArray[np.float32]:
    """Returns the weights of 2 _REACH samples at each phase after the middle one, (weights, phases).

    The filter is a sinc under a Hamming window, whose gain at 0 Hz is 1.
    """
    taps = np.sinc((np.arange(_TAPS) - _TAPS // 2) / OVERSAMPLING) * np.hamming(_TAPS)
    padded = np.append(0, taps * OVERSAMPLING / taps.sum())
    phases: NDArray[np.float32] = padded.reshape(2 * _REACH, OVERSAMPLING)[::-1].astype(np.float32)
    return phases
