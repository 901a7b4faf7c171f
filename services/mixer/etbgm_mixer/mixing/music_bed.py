"""Builds the music bed from consecutive cues, joined sample-exactly or cross-faded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from etbgm_kit.errors import InvalidField
from etbgm_kit.media.waveform import Samples
from etbgm_kit.types import Span
from etbgm_mixer import sound
from etbgm_mixer.loudness import SAMPLE_RATE_HZ

TOLERANCE = 2
"""Allowed error of ends in samples: spans are transmitted in nanoseconds and rounded."""


@dataclass(frozen=True, slots=True)
class PlacedCue:
    """A cue's sound file and when it sounds."""

    path: Path
    span: Span


def check(spans: Sequence[Span], duration_s: float) -> None:
    """Raises InvalidField unless the cues cover [0, duration_s) in order, at most two at a time."""
    if not spans:
        raise InvalidField("cues", "are missing")
    reached = [0.0, 0.0]
    for i, span in enumerate(spans):
        if _samples(span.start_s - reached[-1]) > TOLERANCE:
            raise InvalidField(
                f"cues[{i}]", f"starts at {span.start_s:.3f} s, after a gap from {reached[-1]:.3f} s"
            )
        if span.start_s < reached[-2] or span.end_s < reached[-1]:
            raise InvalidField(f"cues[{i}]", "overlaps more than the cue before it")
        reached.append(span.end_s)
    if _samples(duration_s - reached[-1]) > TOLERANCE:
        raise InvalidField("cues", f"end at {reached[-1]:.3f} s, the video at {duration_s:.3f} s")


def blocks(cues: Sequence[PlacedCue]) -> Iterator[Samples]:
    """Yields the bed in blocks of (samples, 2), from sample 0 to the end of the last cue."""
    tail = np.zeros((0, 2), np.float32)
    for i, cue in enumerate(cues):
        ends = cues[i + 1].span.start_s if i + 1 < len(cues) else cue.span.end_s
        alone = _samples(ends) - _samples(cue.span.start_s)
        with sound.opened(cue.path, f"cues[{i}].music") as file:
            length = _samples(cue.span.end_s) - _samples(cue.span.start_s)
            if abs(file.frames - length) > TOLERANCE:
                raise InvalidField(f"cues[{i}].music", f"has {file.frames} samples, its span {length}")
            if len(tail):
                yield _faded(tail, sound.exactly(sound.read_stereo(file, len(tail)), len(tail)))
            for first in range(len(tail), alone, sound.BLOCK):
                count = min(sound.BLOCK, alone - first)
                yield sound.exactly(sound.read_stereo(file, count), count)
            tail = sound.read_stereo(file, sound.BLOCK * 60)


def _faded(out: Samples, into: Samples) -> Samples:
    """Cross-fades at equal power: the squared gains sum to 1, which suits uncorrelated sounds."""
    phase = (np.arange(len(into), dtype=np.float32)[:, None] + 0.5) / max(1, len(into)) * (np.pi / 2)
    return out * np.cos(phase) + into * np.sin(phase)


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE_HZ)
