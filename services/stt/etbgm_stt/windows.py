"""Groups pieces of speech into windows of the length that Whisper processes at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono, VadParams
from etbgm_kit.types import Span
from etbgm_stt.speech import SPEECH, Speech

WINDOW_S = 30.0
"""The length that Whisper processes at once; shorter windows cost as much."""

PIECES = VadParams(min_silence_s=SPEECH.min_silence_s, pad_s=SPEECH.pad_s, max_speech_s=28.0)
"""Parameters for pieces that fit into a window with their pads."""

MAX_PAUSE_S = 2.0
"""A longer pause ends a window, because the speech after it may be unrelated."""


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces of speech that fit into WINDOW_S, at least one, in chronological order."""

    pieces: tuple[Speech, ...]

    @property
    def span(self) -> Span:
        """From the start of the first piece to the end of the last."""
        return Span(self.pieces[0].span.start_s, self.pieces[-1].span.end_s)

    @property
    def speech_s(self) -> float:
        """Seconds of speech, without the pauses."""
        return sum(piece.span.duration_s for piece in self.pieces)

    @property
    def samples(self) -> Mono:
        """(samples,) float32 at 16 kHz; the pauses are replaced by silence."""
        placed = np.zeros(round(self.span.duration_s * SAMPLE_RATE_HZ) + 1, np.float32)
        for piece in self.pieces:
            first = round((piece.span.start_s - self.span.start_s) * SAMPLE_RATE_HZ)
            placed[first : first + len(piece.samples)] = piece.samples[: len(placed) - first]
        return placed


def gather(found: Iterable[tuple[float, list[Speech]]]) -> Iterator[tuple[float, list[Window]]]:
    """Yields, per item of `find_speech`, the seconds that are silent or in windows, and finished windows."""
    pieces: tuple[Speech, ...] = ()
    taken_s = 0.0
    for taken_s, fresh in found:
        done = []
        for piece in fresh:
            if pieces and not _fits(pieces, piece):
                done.append(Window(pieces))
                pieces = ()
            pieces += (piece,)
        yield pieces[0].span.start_s if pieces else taken_s, done
    yield taken_s, [Window(pieces)] if pieces else []


def _fits(pieces: tuple[Speech, ...], piece: Speech) -> bool:
    pause_s = piece.span.start_s - pieces[-1].span.end_s
    return pause_s <= MAX_PAUSE_S and piece.span.end_s - pieces[0].span.start_s <= WINDOW_S
