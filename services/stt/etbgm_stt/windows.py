"""Packs pieces of speech into windows of the length that Whisper processes at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono, VadParams
from etbgm_kit.types import Span
from etbgm_stt.speech import SPEECH, Speech

WINDOW_S = 30.0
"""The length that Whisper processes at once; shorter windows cost as much."""

PIECES = VadParams(min_silence_s=SPEECH.min_silence_s, pad_s=SPEECH.pad_s, max_speech_s=28.0)
"""Parameters for pieces that fit into a window with their pads."""

PAUSE_S = 0.8
"""Longer pauses are shortened to this, so that few windows hold all speech."""


@dataclass(frozen=True, slots=True)
class Window:
    """Pieces of speech that fit into WINDOW_S, at least one, in chronological order.

    Times in the window are those of its sound, which starts at 0 and has short pauses.
    """

    pieces: tuple[Speech, ...]

    @property
    def end_s(self) -> float:
        """The end of the last piece in the media."""
        return self.pieces[-1].span.end_s

    @property
    def places(self) -> list[Span]:
        """The span of each piece in the window's sound."""
        starts = [0.0]
        for one, following in pairwise(self.pieces):
            pause_s = following.span.start_s - one.span.end_s
            starts.append(starts[-1] + one.span.duration_s + min(pause_s, PAUSE_S))
        spans = (piece.span for piece in self.pieces)
        return [Span(start_s, start_s + span.duration_s) for start_s, span in zip(starts, spans, strict=True)]

    def spoken(self, place: int) -> Span:
        """The span of a piece without its pads; there is none at the media's start or at a cut in speech."""
        span = self.pieces[place].span
        ends_s = [0.0, *(piece.span.end_s for piece in self.pieces)]
        starts_s = [piece.span.start_s for piece in self.pieces]
        start_s = span.start_s + (0 if span.start_s in ends_s else PIECES.pad_s)
        end_s = span.end_s - (0 if span.end_s in starts_s else PIECES.pad_s)
        return Span(start_s, end_s) if start_s < end_s else span

    @property
    def samples(self) -> Mono:
        """(samples,) float32 at 16 kHz, at most WINDOW_S; the pauses are silent."""
        places = self.places
        placed = np.zeros(round(min(places[-1].end_s, WINDOW_S) * SAMPLE_RATE_HZ), np.float32)
        for piece, place in zip(self.pieces, places, strict=True):
            first = round(place.start_s * SAMPLE_RATE_HZ)
            placed[first : first + len(piece.samples)] = piece.samples[: len(placed) - first]
        return placed


def gather(found: Iterable[tuple[float, list[Speech]]]) -> Iterator[tuple[float, list[Window]]]:
    """Yields, per item of `find_speech`, the seconds that are silent or in windows, and full windows."""
    pieces: tuple[Speech, ...] = ()
    taken_s = 0.0
    for taken_s, fresh in found:
        done = []
        for piece in fresh:
            if pieces and Window((*pieces, piece)).places[-1].end_s > WINDOW_S:
                done.append(Window(pieces))
                pieces = ()
            pieces += (piece,)
        yield pieces[0].span.start_s if pieces else taken_s, done
    yield taken_s, [Window(pieces)] if pieces else []
