"""Sounds whose notes are known."""

import itertools

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 44100


def plucks(*times_s: float, duration_s: float, pitch_hz: float = 220.0) -> NDArray[np.float32]:
    """Plucked notes that decay within 0.3 s, (samples, 2); every second one is a fifth higher."""
    sound = np.zeros(round(duration_s * RATE_HZ), np.float32)
    time = np.arange(round(0.4 * RATE_HZ)) / RATE_HZ
    for at_s, ratio in zip(times_s, itertools.cycle((1.0, 1.5)), strict=False):
        note = 0.3 * np.exp(-time / 0.06) * np.sin(2 * np.pi * pitch_hz * ratio * time)
        place = sound[round(at_s * RATE_HZ) :][: len(note)]
        place += note[: len(place)]
    return np.stack([sound, sound], axis=1)


def metre(bpm: float, duration_s: float, accent: int = 4, first_s: float = 0.0) -> NDArray[np.float32]:
    """A note on each beat, the first one of every bar much louder and deeper."""
    beats = np.arange(first_s, duration_s - 0.1, 60 / bpm)
    return plucks(*beats, duration_s=duration_s) + 3 * plucks(
        *beats[::accent], duration_s=duration_s, pitch_hz=110.0
    )
