"""Speech from the rest: RNNoise inside the spans where someone speaks, silence outside.

RNNoise alone leaves music audible in the pauses, a gate alone leaves it under the
words. Measured on speech with music at +10 dB, noise at +5 dB and music at 0 dB
(SI-SDR on the spoken spans): 10.0, 5.0, 0.0 dB before, 14.7, 10.5, 3.4 dB after.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Span
from etbgm_kit.vad import SAMPLE_RATE_HZ as VAD_RATE_HZ
from etbgm_kit.vad import Mono, SpeechDetector
from etbgm_mixer import sound
from etbgm_mixer.loudness import SAMPLE_RATE_HZ, LoudnessMeter, mean_lufs
from etbgm_mixer.rnnoise import Rnnoise
from etbgm_mixer.types import Report

ORIGINAL_SHARE = 0.1
"""Of the original in the enhanced speech: the best SI-SDR at +10, +5 and 0 dB alike."""

DETECTION_SHARE = 0.2
"""Of the original in what the detector hears. It finds quiet words that RNNoise has eaten
(92 against 78 % of the spoken time at 0 dB) and is not misled by music (1 against 14 % of
the pauses at +10 dB)."""

CLEAN_LU = 35.0
"""Pauses so far below the speech need no cleaning: nothing of them is heard."""

BEFORE_S, AFTER_S = 0.12, 0.25
"""The gate opens before the first syllable and closes after the last has died away."""

RISE_S, FALL_S = 0.03, 0.12
"""Lengths of the gate's raised-cosine ramps; its opening ends BEFORE_S before the span."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Where someone speaks, and whether the pauses are quiet enough to leave all as it is."""

    speech_spans: tuple[Span, ...]
    is_clean: bool


def enhance(rnnoise: Rnnoise, audio: Path, enhanced: Path, report: Report) -> Findings:
    """Writes the enhanced mono of `audio` to `enhanced` and finds the speech, in one pass."""
    detector, meter = SpeechDetector(), LoudnessMeter(1)
    spans: list[Span] = []
    with sound.opened(audio, "audio") as source, sound.created(enhanced, 1) as target:
        originals: list[Mono] = []

        def feed() -> Iterator[Mono]:
            for block in sound.blocks(source):
                mono = block.mean(axis=1, dtype=np.float32)
                originals.append(mono)
                meter.feed(mono[:, None])
                yield mono

        resampler = _resampler()
        held = np.zeros(0, np.float32)
        for speech in rnnoise.enhance(feed()):
            held = np.concatenate([held, *originals])
            originals.clear()
            original, held = held[: len(speech)], held[len(speech) :]
            target.write(speech + ORIGINAL_SHARE * (original - speech))
            heard = resampler.resample_chunk(speech + DETECTION_SHARE * (original - speech))
            spans += detector.feed(heard)
            report(target.tell() / max(1, source.frames))
        spans += (
            detector.feed(resampler.resample_chunk(np.zeros(0, np.float32), last=True)) + detector.finish()
        )
        end_s = source.frames / SAMPLE_RATE_HZ
    within = tuple(Span(s.start_s, min(s.end_s, end_s)) for s in spans if s.start_s < end_s)
    return Findings(within, _is_clean(meter, within))


def split(
    audio: Path, enhanced: Path, spans: tuple[Span, ...], speech: Path, residual: Path, report: Report
) -> None:
    """Writes the two stems: gated speech (mono) and what is left of the original, which add up to it."""
    gate = Gate(spans)
    with (
        sound.opened(audio, "audio") as source,
        sound.opened(enhanced, "audio") as cleaned,
        sound.created(speech, 1) as speech_file,
        sound.created(residual, source.channels) as residual_file,
    ):
        first = 0
        for block in sound.blocks(source):
            times_s = np.arange(first, first + len(block), dtype=np.float64) / SAMPLE_RATE_HZ
            spoken = cleaned.read(len(block), dtype="float32", always_2d=True) * gate.gain(times_s)[:, None]
            speech_file.write(spoken)
            residual_file.write(block - spoken)
            first += len(block)
            report(first / source.frames)


class Gate:
    """Open where someone speaks, closed elsewhere, without clicks."""

    def __init__(self, spans: tuple[Span, ...]) -> None:
        self._opens_s = np.array([span.start_s - BEFORE_S for span in spans] + [np.inf])
        self._closes_s = np.array([-np.inf] + [span.end_s + AFTER_S for span in spans])

    def gain(self, times_s: NDArray[np.floating]) -> Mono:
        """Linear gain at the times, same shape, [0, 1]."""
        begun = np.searchsorted(self._opens_s, times_s, "right")
        fall = 1 - (times_s - self._closes_s[begun]) / FALL_S
        rise = 1 - (self._opens_s[begun] - times_s) / RISE_S
        openness = np.clip(np.maximum(rise, fall), 0, 1)
        gain: Mono = (0.5 - 0.5 * np.cos(np.pi * openness)).astype(np.float32)
        return gain


def _is_clean(meter: LoudnessMeter, spans: tuple[Span, ...]) -> bool:
    energies = meter.energies()
    if not spans:
        return False
    times_s = (np.arange(len(energies)) + 0.5) * 0.1
    gate = Gate(spans).gain(times_s)
    spoken, pauses = energies[gate > 0.5], energies[gate <= 0]
    if len(pauses) < 5:
        return False
    return mean_lufs(spoken) - mean_lufs(pauses) >= CLEAN_LU


def _resampler() -> "soxr.ResampleStream":  # type: ignore[name-defined]  # noqa: F821
    import soxr

    return soxr.ResampleStream(SAMPLE_RATE_HZ, VAD_RATE_HZ, 1, dtype="float32")
