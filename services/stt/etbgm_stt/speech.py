"""Splits sound into pieces of speech that are short enough for a decoder."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono, SpeechDetector, VadParams
from etbgm_kit.types import Span

SPEECH = VadParams(min_silence_s=0.5, pad_s=0.2, max_speech_s=12.0)
"""Measured (README): wider pads and longer pauses than the detector's defaults keep first and last words."""


@dataclass(frozen=True, eq=False, slots=True)
class Speech:
    """A span of speech and its (samples,) float32 at 16 kHz."""

    span: Span
    samples: Mono


def find_speech(blocks: Iterable[Mono], params: VadParams = SPEECH) -> Iterator[tuple[float, list[Speech]]]:
    """Yields, for each block, the seconds read so far and the newly completed pieces of speech."""
    detector = SpeechDetector(params)
    # A piece is complete at most this many samples after its start.
    needed = round((params.max_speech_s + params.min_silence_s + 2 * params.pad_s) * SAMPLE_RATE_HZ)
    kept, taken = np.zeros(0, np.float32), 0
    for block in blocks:
        kept, taken = np.concatenate([kept[-needed:], block]), taken + len(block)
        yield taken / SAMPLE_RATE_HZ, [_piece(span, kept, taken) for span in detector.feed(block)]
    yield taken / SAMPLE_RATE_HZ, [_piece(span, kept, taken) for span in detector.finish()]


def _piece(span: Span, kept: Mono, taken: int) -> Speech:
    first, last = (
        round(time_s * SAMPLE_RATE_HZ) - (taken - len(kept)) for time_s in (span.start_s, span.end_s)
    )
    return Speech(span, kept[first:last])
