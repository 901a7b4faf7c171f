"""Levels speech phrase by phrase, so that a quiet speaker is understood beside a loud one.

All curves are gains in dB, one per 10 ms, computed from the energies and peaks of the speech.
The gain is constant within a phrase: it follows speakers and distances, not syllables.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Span
from etbgm_mixer.loudness import FINE, FINE_STEP_S, Energies, mean_lufs

Decibels = NDArray[np.float64]
"""(steps,) gain in dB per 10 ms."""

RATIO = 3.0
"""A phrase keeps a third of its distance from the mean, so that shouts and whispers stay so."""

MOST_DB = 12.0
"""Largest gain in either direction."""

FAINT_LU = 30.0
"""Phrases further below the mean are breaths and noise rather than speech, and are not raised."""

GATE_LU = 10.0
"""Steps further below a phrase's mean are gaps between its words (the relative gate of BS.1770-4)."""

SHORTEST_S, LONGEST_S = 1.0, 3.0
"""Longer speech is cut where it is quietest: speakers may take turns without a pause. 3 s is the window
of short-term loudness (EBU Tech 3341)."""

BEFORE_S, AFTER_S = 0.15, 0.25
"""A phrase's gain begins before it and ends after its last sound has died away."""

SMOOTHING_S = 0.5
"""Length of the Hann window that smooths the curve."""

PEAK_EXCESS_DB = 3.0
"""Peaks up to this far above the ceiling are left to the limiter; it measures true peaks, which are up
to 1 dB higher, and may take 4 dB."""

MOST_RELIEF_DB = 6.0
"""Largest reduction around higher peaks; the limiter does the rest, such as clicks."""

RELIEF_S = 0.4
"""Time around such a peak over which the gain goes down and comes back."""


_RAMP = (np.arange(FINE, dtype=np.float32) + np.float32(0.5)) / FINE


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of speech: the steps [first, last) of 10 ms."""

    first: int
    last: int

    def of(self, energies: Energies) -> Energies:
        """The energies of its steps."""
        return energies[self.first : self.last]

    @property
    def span(self) -> Span:
        """Its time in seconds."""
        return Span(self.first * FINE_STEP_S, self.last * FINE_STEP_S)


def phrases(voice: Energies, spans: Sequence[Span]) -> list[Phrase]:
    """Cuts the spans into phrases of at most LONGEST_S at their quietest moments."""
    smooth = np.convolve(voice, np.full(10, 0.1), "same") if len(voice) else voice
    shortest, longest = round(SHORTEST_S / FINE_STEP_S), round(LONGEST_S / FINE_STEP_S)
    found = []
    for span in spans:
        first, last = int(span.start_s / FINE_STEP_S), math.ceil(span.end_s / FINE_STEP_S)
        waiting = [(first, min(last, len(voice)))]
        while waiting:
            first, last = waiting.pop()
            if last - first > longest:
                middle = smooth[first + shortest : last - shortest]
                cut = first + shortest + int(np.argmin(middle))
                waiting += [(cut, last), (first, cut)]
            elif last > first:
                found.append(Phrase(first, last))
    return found


def gain_db(voice: Energies, spoken: Sequence[Phrase]) -> Decibels:
    """Returns the curve that brings each phrase towards the mean loudness of all; 0 or less in pauses."""
    levels = np.array([spoken_lufs(phrase.of(voice)) for phrase in spoken])
    lengths = np.array([phrase.last - phrase.first for phrase in spoken])
    audible = np.isfinite(levels)
    if not audible.any():
        return np.zeros(len(voice))
    energies = np.where(audible, 10 ** (levels / 10), 0)
    below = 10 * np.log10(energies @ lengths / lengths[audible].sum()) - np.where(audible, levels, -np.inf)
    gains = np.where(below < FAINT_LU, np.clip(below * (1 - 1 / RATIO), -MOST_DB, MOST_DB), 0)
    curve = np.minimum(between(spoken, gains, len(voice)), 0)
    before, after = round(BEFORE_S / FINE_STEP_S), round(AFTER_S / FINE_STEP_S)
    for phrase, gain, earliest in zip(spoken, gains, [0, *(p.last for p in spoken)], strict=False):
        curve[max(earliest, phrase.first - before) : phrase.last + after] = gain
    return smoothed(curve, SMOOTHING_S)


def relief_db(peaks: Energies, own: NDArray[np.bool_], ceiling: float) -> Decibels:
    """Returns the curve that lowers a sound around its `own` peaks far above the linear ceiling."""
    from scipy.ndimage import minimum_filter1d

    excess_db = 20 * np.log10(np.maximum(peaks / ceiling, 1e-9)) - PEAK_EXCESS_DB
    needed = np.where(own, -np.clip(excess_db, 0, MOST_RELIEF_DB), 0.0)
    steps = round(RELIEF_S / FINE_STEP_S) | 1
    return smoothed(minimum_filter1d(needed, steps) if len(needed) else needed, RELIEF_S)


def spoken_lufs(energies: Energies) -> float:
    """Returns the loudness of a phrase without the gaps between its words; -inf for silence."""
    if not len(energies):
        return -np.inf
    return mean_lufs(energies[energies >= energies.mean() * 10 ** (-GATE_LU / 10)])


def between(spoken: Sequence[Phrase], values: Energies, steps: int) -> Decibels:
    """Returns a curve that is constant within the phrases and linear from each to the next."""
    if not len(spoken):
        return np.zeros(steps)
    at = np.array([(phrase.first, phrase.last - 1) for phrase in spoken]).ravel()
    curve: Decibels = np.interp(np.arange(steps), at, np.repeat(values, 2))
    return curve


def smoothed(curve: Decibels, seconds: float) -> Decibels:
    """Returns the curve's weighted mean under a Hann window of that length."""
    from scipy.ndimage import convolve1d

    window = np.hanning((round(seconds / FINE_STEP_S) | 1) + 2)[1:-1]
    result: Decibels = convolve1d(curve, window / window.sum(), mode="nearest") if len(curve) else curve
    return result


def at_samples(curve: Energies, first: int, count: int) -> NDArray[np.float32]:
    """Returns a curve's values at the samples [first, first + count), interpolated: (count, 1)."""
    if not len(curve):
        return np.ones((count, 1), np.float32)
    # Values belong to the centres of their steps, so each line goes from one centre to the next.
    begin = first - FINE // 2
    low = begin // FINE
    ends = np.arange(low, (begin + count - 1) // FINE + 2).clip(0, len(curve) - 1)
    values = curve[ends].astype(np.float32)
    lines = values[:-1, None] + np.diff(values)[:, None] * _RAMP
    gains: NDArray[np.float32] = lines.reshape(-1, 1)[begin - low * FINE :][:count]
    return gains


def linear(curve_db: Decibels) -> Energies:
    """Returns the linear gains of a curve in dB."""
    return np.asarray(10 ** (curve_db / 20))
