"""Raises very quiet sound to the level at which networks recognise speech.

The networks were trained on sound of usual levels. DeepFilterNet3 removes all speech at -55 dBFS
and most of it at -50, but is as good at -45 as at -20 (measured on LJ Speech with noise 30 dB
down, by SI-SDR). Whisper's features end at a fixed floor.
"""

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media.vad import Mono

QUIET_DBFS = -40.0
"""Sound whose level is below this is raised; other sound is left exactly as it is."""

USUAL_DBFS = -25.0
"""Level to which quiet sound is raised: that of ordinary recordings of speech."""

MOST_GAIN_DB = 60.0
"""Largest gain: sound below -85 dBFS is the noise of 16 bits rather than speech."""

STEP_S = 0.1
LASTING_STEPS = 30
"""The level is the median over 3 s, in the loudest 3 s: a knock or a click does not raise it, and a long
silence does not lower it."""


class LastingLevel:
    """Measures the level of the loudest lasting sound in a stream of blocks (8 bytes per 100 ms)."""

    def __init__(self, sample_rate_hz: int) -> None:
        self._step = round(STEP_S * sample_rate_hz)
        self._rest = np.zeros(0, np.float32)
        self._energies: list[NDArray[np.float64]] = []

    def feed(self, block: Mono) -> None:
        """Takes the next (samples,) float32 in [-1, 1]."""
        samples = np.concatenate([self._rest, block])
        whole = len(samples) // self._step * self._step
        self._rest = samples[whole:]
        # The variance, unlike the mean square, does not contain direct current.
        self._energies.append(samples[:whole].reshape(-1, self._step).var(axis=1, dtype=np.float64))

    def dbfs(self) -> float:
        """The level in dB full scale (RMS); -inf for silence and for less than 100 ms."""
        energies = np.concatenate([np.zeros(0), *self._energies])
        if not len(energies):
            return -np.inf
        windows = np.lib.stride_tricks.sliding_window_view(energies, min(LASTING_STEPS, len(energies)))
        loudest = float(np.median(windows, axis=1).max())
        return float(10 * np.log10(loudest)) if loudest > 0 else -np.inf

    def gain(self) -> np.float32:
        """The gain for networks, linear: 1 unless the sound is quiet."""
        return gain_for(self.dbfs())


def gain_for(level_dbfs: float) -> np.float32:
    """Returns the linear gain for sound of that lasting level, >= 1."""
    if not np.isfinite(level_dbfs) or level_dbfs >= QUIET_DBFS:
        return np.float32(1)
    return np.float32(10 ** (min(USUAL_DBFS - level_dbfs, MOST_GAIN_DB) / 20))
