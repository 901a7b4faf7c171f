"""Computes the music's gain over time: low under speech, higher in the pauses.

The speech times are known, so the gain is planned ahead. A compressor would react too
late; here the music is already low at the first syllable.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Span
from etbgm_mixer.types import MixSettings

BRIDGE_S = 1.0
"""Shorter pauses do not raise the music (Audacity's auto-duck does the same)."""


_OCTAVES_PER_DB = math.log2(10) / 20
"""Powers of two in a decibel of gain."""


class Ducking:
    """The music's gain over time: linear in dB during attack and release."""

    def __init__(self, speech_spans: Sequence[Span], settings: MixSettings) -> None:
        spans = bridged(speech_spans)
        self._starts_s = np.array([span.start_s for span in spans] + [np.inf])
        self._ends_s = np.array([-np.inf] + [span.end_s for span in spans])
        self._lift_db = settings.music_lift_db
        self._attack_s, self._hold_s, self._release_s = (
            ms / 1000 for ms in (settings.attack_ms, settings.hold_ms, settings.release_ms)
        )

    def gain(self, times_s: NDArray[np.float64]) -> NDArray[np.float32]:
        """Returns linear gain at the times, same shape: 1 under speech, `music_lift_db` higher in pauses."""
        begun = np.searchsorted(self._starts_s, times_s, "right")
        rise = (times_s - self._ends_s[begun] - self._hold_s) / self._release_s
        fall = (self._starts_s[begun] - times_s) / self._attack_s
        level = np.clip(np.minimum(rise, fall), 0, 1).astype(np.float32)
        gain: NDArray[np.float32] = np.exp2(level * np.float32(self._lift_db * _OCTAVES_PER_DB))
        return gain


def bridged(spans: Sequence[Span], bridge_s: float = BRIDGE_S) -> list[Span]:
    """Joins spans that are less than `bridge_s` apart."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start_s - joined[-1].end_s < bridge_s:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, span.end_s))
        else:
            joined.append(span)
    return joined
