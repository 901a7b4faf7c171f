"""Finds speech and writes the two stems; shared by all separators.

Enhancement alone leaves music audible in the pauses, and a gate alone leaves it under the
words. The speech stem is therefore the enhanced speech in the spoken spans and silence elsewhere.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media.quiet import LastingLevel
from etbgm_kit.media.vad import SAMPLE_RATE_HZ as VAD_RATE_HZ
from etbgm_kit.media.vad import Mono, SpeechDetector
from etbgm_kit.types import Span
from etbgm_mixer import sound
from etbgm_mixer.loudness import SAMPLE_RATE_HZ, STEP_S, Energies, LoudnessMeter, mean_lufs
from etbgm_mixer.separation.removed import RemovedMeter
from etbgm_mixer.separation.separator import Findings
from etbgm_mixer.types import OnProgress

if TYPE_CHECKING:
    import soundfile

CLEAN_LU = 35.0
"""Pauses at least this far below the speech need no cleaning, because they are inaudible."""

BEFORE_S, AFTER_S = 0.12, 0.25
"""The gate opens before the first syllable and closes after the last one has died away."""

HIDDEN_DB = 15.0
"""Enhanced sound this far below the original is inaudible under it, and rather music than speech."""

NEAR_S = 0.3
"""Speech continues for this long around each audible 100 ms, through weak sounds and short breaks."""

RISE_S, FALL_S = 0.03, 0.12
"""Lengths of the gate's raised-cosine ramps; its opening ends BEFORE_S before the span."""


class SpeechFinder:
    """Finds speech in a stream of blocks at 48 kHz and measures the original's pauses."""

    def __init__(self) -> None:
        import soxr

        self._resampler = soxr.ResampleStream(SAMPLE_RATE_HZ, VAD_RATE_HZ, 1, dtype="float32")
        self._detector = SpeechDetector()
        self._original, self._enhanced = LoudnessMeter(1), LoudnessMeter(1)
        self._spans: list[Span] = []
        self._samples = 0

    def measure(self, original: Mono) -> None:
        """Takes the next (samples,) of the original."""
        self._original.feed(original[:, None])
        self._samples += len(original)

    def listen(self, heard: Mono) -> None:
        """Takes the next (samples,) to search for speech."""
        self._enhanced.feed(heard[:, None])
        self._spans += self._detector.feed(self._resampler.resample_chunk(heard))

    def findings(self) -> Findings:
        """Ends the stream and returns all findings."""
        rest = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        spans = self._spans + self._detector.feed(rest) + self._detector.finish()
        end_s = self._samples / SAMPLE_RATE_HZ
        within = tuple(Span(s.start_s, min(s.end_s, end_s)) for s in spans if s.start_s < end_s)
        original = self._original.energies()
        spoken = audible(within, original, self._enhanced.energies())
        return Findings(spoken, _is_clean(original, spoken))


def gain_for_networks(source: "soundfile.SoundFile") -> np.float32:
    """Reads the whole file and returns the gain at which networks find its speech, >= 1.

    The original, with that gain, is what `SpeechFinder` and the separator get; the separator divides its
    output by the gain.
    """
    level = LastingLevel(SAMPLE_RATE_HZ)
    for block in sound.blocks(source):
        level.feed(block.mean(axis=1, dtype=np.float32))
    source.seek(0)
    return level.gain()


def split(
    audio: Path,
    enhanced: Path,
    spans: tuple[Span, ...],
    speech: Path,
    residual: Path,
    on_progress: OnProgress,
) -> float:
    """Writes the two stems, which add up to the original: gated speech (mono) and the residual.

    Returns for how long the residual is about as loud as the speech, in seconds.
    """
    gate = Gate(spans)
    with (
        sound.opened(audio, "audio") as source,
        sound.opened(enhanced, "audio") as cleaned,
        sound.created(speech, 1) as speech_file,
        sound.created(residual, source.channels) as residual_file,
    ):
        first, removed = 0, RemovedMeter(source.channels)
        for block in sound.blocks(source):
            times_s = np.arange(first, first + len(block), dtype=np.float64) / SAMPLE_RATE_HZ
            spoken = cleaned.read(len(block), dtype="float32", always_2d=True) * gate.gain(times_s)[:, None]
            speech_file.write(spoken)
            residual_file.write(block - spoken)
            removed.feed(spoken[:, 0], block - spoken)
            first += len(block)
            on_progress(first / source.frames)
    return removed.loud_s(spans)


class Gate:
    """A gate that is open during speech and closed elsewhere, without clicks."""

    def __init__(self, spans: tuple[Span, ...]) -> None:
        self._opens_s = np.array([span.start_s - BEFORE_S for span in spans] + [np.inf])
        self._closes_s = np.array([-np.inf] + [span.end_s + AFTER_S for span in spans])

    def gain(self, times_s: NDArray[np.floating]) -> Mono:
        """Returns the linear gain at the times, same shape, [0, 1]."""
        begun = np.searchsorted(self._opens_s, times_s, "right")
        fall = 1 - (times_s - self._closes_s[begun]) / FALL_S
        rise = 1 - (self._opens_s[begun] - times_s) / RISE_S
        openness = np.clip(np.maximum(rise, fall), 0, 1)
        gain: Mono = (0.5 - 0.5 * np.cos(np.pi * openness)).astype(np.float32)
        return gain


def audible(spans: tuple[Span, ...], original: Energies, enhanced: Energies) -> tuple[Span, ...]:
    """Returns the parts of `spans` in which speech can be heard in the original; energies per 100 ms.

    Enhancement leaves a little of loud music in the pauses, which the detector mistakes for speech.
    """
    steps = min(len(original), len(enhanced))
    heard = enhanced[:steps] >= original[:steps] * 10 ** (-HIDDEN_DB / 10)
    found: list[Span] = []
    for span in spans:
        first, last = int(span.start_s / STEP_S), math.ceil(span.end_s / STEP_S)
        times_s = ((first + np.flatnonzero(heard[first:last])) * STEP_S).tolist()
        near = [
            Span(max(span.start_s, at_s - NEAR_S), min(span.end_s, at_s + STEP_S + NEAR_S))
            for at_s in times_s
        ]
        found += _joined(near)
    return tuple(found)


def _is_clean(energies: Energies, spans: tuple[Span, ...]) -> bool:
    if not spans:
        return False
    times_s = (np.arange(len(energies)) + 0.5) * 0.1
    gate = Gate(spans).gain(times_s)
    spoken, pauses = energies[gate > 0.5], energies[gate <= 0]
    if len(pauses) < 5:
        return False
    return mean_lufs(spoken) - mean_lufs(pauses) >= CLEAN_LU


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Joins spans that overlap."""
    joined: list[Span] = []
    for span in spans:
        if joined and span.start_s < joined[-1].end_s:
            joined[-1] = Span(joined[-1].start_s, max(joined[-1].end_s, span.end_s))
        else:
            joined.append(span)
    return joined
