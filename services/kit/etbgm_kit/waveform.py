"""Sound in memory, validated once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Span

Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Waveform:
    """Sound: `samples` (samples, channels) float32, nominally in [-1, 1].

    Raises ValueError for another shape or type, or a rate <= 0. Only for sound of
    bounded length; whole tracks are streamed (`etbgm_kit.audio`).
    """

    samples: Samples
    sample_rate_hz: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError(
                f"need (samples, channels) float32, got {self.samples.shape} {self.samples.dtype}"
            )
        if self.sample_rate_hz <= 0:
            raise ValueError(f"sample_rate_hz must be > 0, got {self.sample_rate_hz}")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate_hz

    def mono(self) -> Samples:
        """The mean of the channels, (samples,) float32."""
        mixed: Samples = self.samples.mean(axis=1, dtype=np.float32)
        return mixed

    def cut(self, span: Span) -> "Waveform":
        """The part in `span`, ends rounded to the nearest sample."""
        first, last = (round(t * self.sample_rate_hz) for t in (span.start_s, span.end_s))
        return Waveform(self.samples[first:last], self.sample_rate_hz)
