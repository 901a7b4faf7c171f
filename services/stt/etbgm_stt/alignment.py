"""Puts recognised words into the speech that the detector found."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from etbgm_kit.types import Segment, Span, Word
from etbgm_stt.windows import Window

if TYPE_CHECKING:
    from faster_whisper.transcribe import Word as WhisperWord

REACH_S = 0.5
"""Largest correction of an outer word's edge; if more is needed, a word was probably missed."""


def segments_of(window: Window, words: Iterable["WhisperWord"], offset_s: float) -> tuple[Segment, ...]:
    """Returns a segment for each piece of speech with words; the words' times begin at `offset_s`.

    Whisper's alignment adds pauses to the adjacent words, and ends most last words early. The detector
    is more accurate (README), so words are cut at the edges of the piece that they overlap most, and
    the outer words of a piece begin and end with its speech.
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
    return tuple(_segment(words, window.spoken(place)) for place, words in said.items())


def _segment(said: Sequence[tuple[str, Word]], spoken: Span) -> Segment:
    words = _fitted([word for _, word in said], spoken)
    text = "".join(written for written, _ in said).strip()
    confidence = sum(word.confidence for word in words) / len(words)
    return Segment(Span(words[0].span.start_s, words[-1].span.end_s), text, confidence, words)


def _fitted(words: list[Word], spoken: Span) -> tuple[Word, ...]:
    """Returns the words with the first start and the last end at the edges of the speech, if near."""
    first = words[0].span
    if spoken.start_s < first.end_s and abs(first.start_s - spoken.start_s) <= REACH_S:
        words[0] = replace(words[0], span=Span(spoken.start_s, first.end_s))
    last = words[-1].span
    if last.start_s < spoken.end_s and abs(last.end_s - spoken.end_s) <= REACH_S:
        words[-1] = replace(words[-1], span=Span(last.start_s, spoken.end_s))
    return tuple(words)


def _shifted(start_s: float, end_s: float, by_s: float) -> Span:
    return Span(float(start_s) + by_s, max(float(start_s), float(end_s)) + by_s)


def _overlap_s(one: Span, other: Span) -> float:
    """Returns the overlap; negative if the spans are apart."""
    return min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
