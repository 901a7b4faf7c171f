"""Decides where a source is cut into clips: on bars or beats, and between notes where possible.

A clip has a fixed length, so its start and its end cannot both be chosen. A start is good if an onset
follows it, so that no note sounds through it except what still rings, and if another onset lies at its
end. Sources without a clear pulse are cut before any onset.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from etbgm_riffusion.dataset.pulse import FRAMES_PER_S, Pulse
from etbgm_riffusion.diffusion.types import CLIP

_LEAD = 2
"""Frames between a cut and the onset that follows it: the attack belongs to the clip."""

_OVERLAP, _SLACK = CLIP // 4, 2 * FRAMES_PER_S
"""Frames that a clip may share with the one before, or skip after it, to find a better start."""

_BAR, _END, _AWAY = 0.5, 0.5, 0.6
"""Worth of a start on a bar line, and of an onset at the clip's end, relative to an onset at its start;
cost of skipping `_SLACK` frames, or of sharing as many."""

_NEAR = 2
"""An onset counts for frames at most this far from it."""

_SILENT_DB = -45.0
"""Level below the source's loudness at which a frame counts as silent."""

_METERS = (4, 3)
_DOUBT = 1.05
"""Three beats to a bar are assumed only if their accents are clearer than those of four by this factor."""

Frames = NDArray[np.intp]


def starts_of(pulse: Pulse, beats: Frames, length: int = CLIP) -> list[int]:
    """Returns the first frames of clips of `length` frames, in order; neighbours share 1.28 s at most."""
    strength = strengths(pulse)
    worth = strength.copy()
    worth[: max(0, len(worth) - length)] += _END * strength[length:]
    worth[np.maximum(0, bars_of(pulse, beats) - _LEAD)] += _BAR
    candidates = np.maximum(0, beats - _LEAD) if len(beats) else np.flatnonzero(strength > 0)
    starts: list[int] = []
    free, end = 0, pulse.frames - length
    while max(0, free - _OVERLAP) <= end and end >= 0:
        first, last = max(0, free - _OVERLAP if starts else 0), min(free + _SLACK, end)
        near = candidates[slice(*np.searchsorted(candidates, (first, last + 1)))]
        start = min(free, end)
        if len(near):
            start = int(near[np.argmax(worth[near] - _AWAY * np.abs(near - free) / _SLACK)])
        starts.append(start)
        free = start + length
    return starts


def strengths(pulse: Pulse) -> NDArray[np.float32]:
    """Returns how strong the onset right after a cut at each frame would be, in [0, 1]."""
    onsets = maximum_filter1d(pulse.onsets, 2 * _NEAR + 1)
    strong = float(np.percentile(onsets, 95)) if len(onsets) else 0.0
    shifted = np.zeros_like(onsets)
    shifted[:-_LEAD] = onsets[_LEAD:] / np.float32(max(strong, 1e-9))
    strength: NDArray[np.float32] = np.minimum(shifted, 1)
    return strength


def bars_of(pulse: Pulse, beats: Frames) -> Frames:
    """Returns the beats that are taken for bar lines: those whose accents stand out most."""
    if len(beats) < 2 * max(_METERS):
        return beats[:1]
    accents = maximum_filter1d(pulse.onsets, 2 * _NEAR + 1)[beats].astype(np.float64)
    options = [
        (float(accents[first::meter].mean()) / (_DOUBT if meter != _METERS[0] else 1), meter, first)
        for meter in _METERS
        for first in range(meter)
    ]
    _, meter, first = max(options)
    bars: Frames = beats[first::meter]
    return bars


def sounding(pulse: Pulse, starts: Sequence[int], length: int = CLIP) -> list[int]:
    """Returns those of `starts` whose clips are silent for less than half of their time.

    Pauses of less than a second between notes do not count as silence.
    """
    if not np.isfinite(pulse.loudness_lufs):
        return []
    audible = pulse.levels_db > pulse.loudness_lufs + _SILENT_DB
    audible = maximum_filter1d(audible, FRAMES_PER_S)
    return [start for start in starts if audible[start : start + length].mean() > 0.5]
