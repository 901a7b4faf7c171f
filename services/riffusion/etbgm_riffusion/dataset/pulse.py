"""Listens to a source once, block by block: onsets, levels and loudness; finds its beats.

An hour of sound leaves 3 MB.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media.waveform import Samples
from etbgm_riffusion.dataset.audio import RATE_HZ
from etbgm_riffusion.dataset.features import tempo_bpm
from etbgm_riffusion.spectrogram.banded import Weights, triangles

FRAMES_PER_S = 100
"""Frames are as far apart as the columns of a spectrogram."""

_HOP = RATE_HZ // FRAMES_PER_S
_WINDOW = 2048
_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 40, 40.0, 11000.0
_COMPRESSION = 1000.0
"""Bands are compressed as log(1 + 1000 m), as usual for spectral flux (Böck, Krebs & Schedl 2012)."""

_STRETCH = 60 * FRAMES_PER_S
"""Tempo is estimated anew for stretches of this many frames."""
_TIGHTNESS = 100.0
"""Cost of leaving the tempo, as in Ellis (2007)."""
_CLEAR = 1.6
"""A pulse is clear if onsets on the beats are stronger than the mean by this factor."""

_BLOCK_S, _GATE_LUFS, _GATE_LU = 0.1, -70.0, -10.0
"""ITU-R BS.1770-5: loudness of blocks of 0.4 s every 0.1 s, gated absolutely and relatively."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Pulse:
    """What one pass over a source finds; frames are 10 ms apart.

    `onsets` (frames,) ≥ 0 is the spectral flux, `levels_db` (frames,) the level in dBFS; `loudness_lufs`
    is -inf for silence.
    """

    onsets: Array
    levels_db: Array
    loudness_lufs: float

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.onsets)

    @property
    def duration_s(self) -> float:
        """Duration of the source."""
        return self.frames / FRAMES_PER_S


def listen(sound: Iterable[Samples]) -> Pulse:
    """Listens to blocks (samples, 2) at RATE_HZ."""
    ear, meter = _Ear(), _Meter()
    for block in sound:
        ear.hear(block)
        meter.hear(block)
    onsets, levels = ear.heard()
    return Pulse(onsets, levels, meter.loudness_lufs())


def beats_of(pulse: Pulse) -> tuple[NDArray[np.intp], float | None]:
    """Returns the frames of the beats and the tempo in BPM; no beats and None if the pulse is not clear."""
    found, tempi = [], []
    for first in range(0, pulse.frames, _STRETCH):
        envelope = pulse.onsets[first : first + _STRETCH].astype(np.float64)
        if len(envelope) < 4 * FRAMES_PER_S or not envelope.any():
            continue
        tempo = tempo_bpm(envelope, FRAMES_PER_S)
        beats = _track(envelope / envelope.std(), 60 * FRAMES_PER_S / tempo)
        if len(beats) and envelope[beats].mean() > _CLEAR * envelope.mean():
            found.append(first + beats)
            tempi.append(tempo)
    return (np.concatenate(found), float(np.median(tempi))) if found else (np.zeros(0, np.intp), None)


def _track(envelope: NDArray[np.float64], period: float) -> NDArray[np.intp]:
    """Returns the beats that best meet onsets at regular distances.

    Dynamic programming, D. Ellis, "Beat tracking by dynamic programming" (2007).
    """
    steps = np.arange(-round(2 * period), -round(period / 2) + 1)
    cost = -_TIGHTNESS * np.log(-steps / period) ** 2
    score, before = envelope.copy(), np.full(len(envelope), -1)
    for frame in range(-int(steps[0]), len(envelope)):
        options = score[frame + steps] + cost
        best = int(options.argmax())
        score[frame] += options[best]
        before[frame] = frame + steps[best]
    frame = len(envelope) - 1 - int(score[::-1][: round(period)].argmax())
    beats = []
    while frame >= 0:
        beats.append(frame)
        frame = int(before[frame])
    return np.array(beats[::-1], np.intp)


class _Ear:
    """Computes onsets and levels of a stream."""

    def __init__(self) -> None:
        self._held = np.zeros(_WINDOW // 2, np.float32)
        self._last = np.zeros(_BANDS, np.float32)
        self._onsets: list[Array] = []
        self._levels: list[Array] = []
        self._window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)

    def hear(self, block: Samples) -> None:
        self._held = np.concatenate([self._held, block.mean(axis=1)])
        count = (len(self._held) - _WINDOW) // _HOP + 1
        if count > 0:
            windows = np.lib.stride_tricks.sliding_window_view(self._held, _WINDOW)[::_HOP][:count]
            self._measure(windows)
            self._held = self._held[count * _HOP :].copy()

    def heard(self) -> tuple[Array, Array]:
        self.hear(np.zeros((_WINDOW // 2 - _HOP, 2), np.float32))
        empty = np.zeros(0, np.float32)
        return np.concatenate([empty, *self._onsets]), np.concatenate([empty, *self._levels])

    def _measure(self, windows: Array) -> None:
        spectra = np.abs(np.fft.rfft(windows * self._window)).astype(np.float32) / _WINDOW
        bands = np.log1p(_COMPRESSION * (spectra @ _bands()))
        rises = np.diff(np.concatenate([self._last[None], bands]), axis=0)
        self._onsets.append(np.maximum(rises, 0).sum(axis=1))
        self._levels.append(10 * np.log10(np.mean(windows**2, axis=1) + 1e-12))
        self._last = bands[-1]


class _Meter:
    """Measures the integrated loudness of a stream (ITU-R BS.1770-5), with pyloudnorm's filters."""

    def __init__(self) -> None:
        from pyloudnorm import IIRfilter

        filters = (
            IIRfilter(4.0, 0.5**0.5, 1500.0, RATE_HZ, "high_shelf"),
            IIRfilter(0.0, 0.5, 38.0, RATE_HZ, "high_pass"),
        )
        self._sections = np.array([[*one.b, *one.a] for one in filters])
        self._state = np.zeros((len(filters), 2, 2))
        self._held = np.zeros(0)
        self._energies: list[NDArray[np.float64]] = []

    def hear(self, block: Samples) -> None:
        from scipy.signal import sosfilt

        weighted, self._state = sosfilt(self._sections, block, axis=0, zi=self._state)
        self._held = np.concatenate([self._held, (weighted**2).sum(axis=1)])
        length = round(_BLOCK_S * RATE_HZ)
        whole = len(self._held) // length
        self._energies.append(self._held[: whole * length].reshape(whole, length).mean(axis=1))
        self._held = self._held[whole * length :]

    def loudness_lufs(self) -> float:
        tenths = np.concatenate([np.zeros(0), *self._energies])
        if len(tenths) < 4:
            return float("-inf")
        blocks = np.convolve(tenths, np.full(4, 0.25), "valid")
        loud = blocks[_lufs(blocks) > _GATE_LUFS]
        if not len(loud):
            return float("-inf")
        return float(_lufs(loud[_lufs(loud) > _lufs(loud.mean()) + _GATE_LU].mean()))


def _lufs(energy: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return np.asarray(-0.691 + 10 * np.log10(np.maximum(energy, 1e-12)))


@cache
def _bands() -> Weights:
    """Returns 40 triangles on a logarithmic scale, (frequencies, bands)."""
    corners = np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 2)
    return triangles(corners, np.fft.rfftfreq(_WINDOW, 1 / RATE_HZ).astype(np.float64))
