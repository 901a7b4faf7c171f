"""Streaming loudness measurement to ITU-R BS.1770-4.

The meter K-weights the sound and stores its energy and peak per 10 ms: 1.6 kB per second
of media. Integrated, momentary and span loudness are computed from the energy. Left,
right and mono (as a centre channel) have weight 1.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media.waveform import Samples
from etbgm_kit.types import Span

SAMPLE_RATE_HZ = 48000
STEP_S = 0.1
FINE = 480
"""Samples per finest step, 10 ms."""
FINE_STEP_S = 0.01
FINE_PER_STEP = 10
BLOCK_STEPS = 4
"""Gating blocks are 400 ms, one every 100 ms (BS.1770-4: 75 % overlap)."""

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0

_K_WEIGHTING = np.array(
    [
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
)
"""Second-order sections at 48 kHz: BS.1770-4, tables 1 and 2."""

Energies = NDArray[np.float64]
"""(steps,) mean square of the K-weighted sound per 100 ms, summed over the channels."""


class LoudnessMeter:
    """Takes sound block by block and stores its energy and peak per step of 10 ms."""

    def __init__(self, channels: int) -> None:
        self._state = np.zeros((2, channels, 2))
        self._rest = np.zeros((channels, 0), np.float32)
        self._energies: list[Energies] = []
        self._peaks: list[Energies] = []

    def feed(self, block: Samples) -> None:
        """Takes the next (samples, channels) at 48 kHz, possibly empty."""
        from scipy.signal import sosfilt

        sound = np.concatenate([self._rest, block.T], axis=1)
        whole = sound.shape[1] // FINE * FINE
        sound, self._rest = sound[:, :whole], sound[:, whole:]
        if not whole:
            return
        weighted, self._state = sosfilt(_K_WEIGHTING, sound, zi=self._state)
        steps = (len(sound), -1, FINE)
        self._energies.append(np.square(weighted, out=weighted).reshape(steps).mean(axis=2).sum(axis=0))
        self._peaks.append(np.abs(sound).reshape(steps).max(axis=(0, 2)).astype(np.float64))

    def fine(self) -> tuple[Energies, Energies]:
        """Returns energy and peak of all complete steps of 10 ms so far, (steps,) each."""
        return np.concatenate([np.zeros(0), *self._energies]), np.concatenate([np.zeros(0), *self._peaks])

    def energies(self) -> Energies:
        """Returns the energy of all complete steps of 100 ms so far, (steps,)."""
        return coarse(self.fine()[0])


def coarse(fine: Energies) -> Energies:
    """Converts steps of 10 ms to steps of 100 ms."""
    whole = len(fine) // FINE_PER_STEP * FINE_PER_STEP
    energies: Energies = fine[:whole].reshape(-1, FINE_PER_STEP).mean(axis=1)
    return energies


def momentary_lufs(energies: Energies) -> NDArray[np.float64]:
    """Returns the loudness of each 400 ms block, (steps - 3,); -inf for digital silence."""
    with np.errstate(divide="ignore"):
        return -0.691 + 10 * np.log10(_blocks(energies))


def integrated_lufs(energies: Energies) -> float:
    """Returns the integrated loudness with both gates; -inf if nothing is above -70 LUFS."""
    blocks = _blocks(energies)
    loud = blocks[blocks > _energy(ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return -np.inf
    return _lufs(loud[loud > loud.mean() * 10 ** (RELATIVE_GATE_LU / 10)].mean())


def loudness_lufs(energies: Energies) -> float:
    """Returns the integrated loudness, or the ungated mean of sound too short or quiet for the gates."""
    integrated = integrated_lufs(energies)
    return integrated if np.isfinite(integrated) else mean_lufs(energies)


def within(energies: Energies, spans: Sequence[Span]) -> Energies:
    """Returns the steps that lie entirely within one of the spans."""
    inside = np.zeros(len(energies), bool)
    for span in spans:
        inside[int(np.ceil(span.start_s / STEP_S - 1e-6)) : int(span.end_s / STEP_S + 1e-6)] = True
    return energies[inside]


def mean_lufs(energies: Energies) -> float:
    """Returns the ungated loudness of these steps; -inf for silence or no steps."""
    return _lufs(energies.mean()) if len(energies) and energies.mean() > 0 else -np.inf


def _blocks(energies: Energies) -> Energies:
    if len(energies) < BLOCK_STEPS:
        return energies[:0]
    return np.convolve(energies, np.full(BLOCK_STEPS, 1 / BLOCK_STEPS), "valid").clip(0)


def _lufs(energy: float) -> float:
    return float(-0.691 + 10 * np.log10(energy))


def _energy(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))
