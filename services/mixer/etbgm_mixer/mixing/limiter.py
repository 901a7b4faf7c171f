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
_EDGE = 16
"""Samples at either end of a piece of sound where the interpolation is not exact."""

_WINDOW = 64
"""Samples per window; each window is interpolated as a whole or not at all."""

_TAPS = 47
"""Length of the interpolation filter: 12 taps per phase, as in BS.1770-4."""

_SURELY_BELOW = 0.5
"""In any sound worth limiting, true peaks are less than 6 dB above the neighbouring samples."""


class Limiter:
    """Keeps true peaks at or below `ceiling` (linear, (0, 1]); delays the sound by `DELAY` samples."""

    DELAY = LOOK_AHEAD + _EDGE

    def __init__(self, ceiling: float, channels: int) -> None:
        self._ceiling = ceiling
        self._before = np.zeros((2 * self.DELAY, channels), np.float32)
        window = np.hanning(LOOK_AHEAD + 3)[1:-1]
        self._window = window / window.sum()
        self.reduction_db = 0.0
        """Largest gain reduction so far, >= 0."""

    def feed(self, block: Samples) -> tuple[Samples, NDArray[np.float32]]:
        """Takes (n, channels); returns the limited input of DELAY samples ago and its gain (n, 1)."""
        sound = np.concatenate([self._before, block])
        self._before = sound[len(block) :]
        out = slice(self.DELAY, self.DELAY + len(block))
        if np.abs(sound).max(initial=0.0) <= self._ceiling * _SURELY_BELOW:
            return sound[out], np.ones((len(block), 1), np.float32)
        gain = self._gain(sound)[out, None]
        self.reduction_db = max(self.reduction_db, float(-20 * np.log10(gain.min(initial=1.0))))
        return sound[out] * gain, gain

    def _gain(self, sound: Samples) -> NDArray[np.float32]:
        from scipy.ndimage import minimum_filter1d
        from scipy.signal import oaconvolve

        peaks = true_peaks(sound, self._ceiling * _SURELY_BELOW)
        if peaks.max(initial=0.0) <= self._ceiling:
            return np.ones(len(sound), np.float32)
        needed = self._ceiling / np.maximum(peaks, self._ceiling)
        held = minimum_filter1d(needed, LOOK_AHEAD + 1)
        smooth = oaconvolve(held, self._window, "same")
        gain: NDArray[np.float32] = np.minimum(smooth, 1.0).astype(np.float32)
        return gain


def true_peaks(sound: Samples, above: float = 0.0) -> NDArray[np.float32]:
    """Returns the largest magnitude between each sample's neighbours over all channels, (samples,).

    Where no nearby sample exceeds `above`, the result is the sample's own magnitude.
    """
    peaks: NDArray[np.float32] = reduce(np.maximum, np.abs(sound.T))
    windows = -(-len(sound) // _WINDOW)
    padded = np.pad(peaks, (_WINDOW, (windows + 1) * _WINDOW - len(peaks)))
    loud = padded.reshape(-1, _WINDOW).max(axis=1) > above
    chosen = np.flatnonzero(loud[:-2] | loud[1:-1] | loud[2:])
    if not len(chosen):
        return peaks
    around = np.pad(sound.T, ((0, 0), (_EDGE, windows * _WINDOW - len(sound) + _EDGE)))
    heard = np.lib.stride_tricks.sliding_window_view(around, _WINDOW + 2 * _EDGE, axis=1)
    fine = padded[_WINDOW:-_WINDOW].reshape(-1, _WINDOW)
    fine[chosen] = _oversampled_peaks(heard[:, chosen * _WINDOW])
    exact: NDArray[np.float32] = fine.reshape(-1)[: len(sound)]
    return exact


def _oversampled_peaks(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the true peaks of (channels, pieces, samples) without _EDGE samples at either end."""
    from scipy.signal import upfirdn

    fine = upfirdn(_taps(), sound, OVERSAMPLING, axis=2)[:, :, _TAPS // 2 :]
    fine = np.abs(fine[:, :, : OVERSAMPLING * sound.shape[2]]).max(axis=0)
    # Much faster than a maximum over an axis of 4.
    after = reduce(np.maximum, (fine[:, phase::OVERSAMPLING] for phase in range(OVERSAMPLING)))
    peaks: NDArray[np.float32] = np.maximum(after[:, _EDGE:-_EDGE], after[:, _EDGE - 1 : -_EDGE - 1])
    return peaks


@cache
def _taps() -> NDArray[np.float32]:
    """Returns the interpolation filter."""
    from scipy.signal import firwin

    taps: NDArray[np.float32] = (firwin(_TAPS, 1 / OVERSAMPLING) * OVERSAMPLING).astype(np.float32)
    return taps
