"""Puts recognised words into the speech that the detector found."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from etbgm_kit.types import Segment, Span, Word
from etbgm_stt.windows import Window

if TYPE_CHECKING:
    from faster_whisper.transcribe import Word as WhisperWord


def segments_of(window: Window, words: Iterable["WhisperWord"], offset_s: float) -> tuple[Segment, ...]:
    """Returns a segment for each piece of speech with words; the words' times begin at `offset_s`.

    Whisper's alignment adds pauses to the adjacent words; the detector is more accurate, so words
    are cut at the edges of the piece that they overlap most.
    """
    said: dict[int, list[tuple[str, Word]]] = {}
    places, first = window.places, 0
    for word in words:
        if not word.word.strip():
            continue
        span = _shifted(word.start, word.end, -offset_s)
        first = max(range(first, len(places)), key=lambda i: _overlap_s(places[i], span))
        earlier = said.setdefault(first, [])
        piece = window.pieces[first].span
        moved = _shifted(span.start_s, span.end_s, piece.start_s - places[first].start_s)
        begin_s = earlier[-1][1].span.end_s if earlier else piece.start_s
        start_s, end_s = (min(max(time_s, begin_s), piece.end_s) for time_s in (moved.start_s, moved.end_s))
        probability = min(1.0, float(word.probability))
        earlier.append((word.word, Word(Span(start_s, end_s), word.word.strip(), probability)))
    return tuple(_segment(words) for words in said.values())


def _segment(said: Sequence[tuple[str, Word]]) -> Segment:
    words = tuple(word for _, word in said)
    text = "".join(written for written, _ in said).strip()
    confidence = sum(word.confidence for word in words) / len(words)
    return Segment(Span(words[0].span.start_s, words[-1].span.end_s), text, confidence, words)


def _shifted(start_s: float, end_s: float, by_s: float) -> Span:
    return Span(float(start_s) + by_s, max(float(start_s), float(end_s)) + by_s)


def _overlap_s(one: Span, other: Span) -> float:
    """Returns the overlap; negative if the spans are apart."""
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
