"""Writes a transcript as SubRip or WebVTT captions that people can read.

Captions follow the habits of timed text (Netflix, "Timed Text Style Guide: General Requirements" and the
guides of English, Korean, Japanese and Chinese): at most two lines, broken at phrases, shown long enough.
"""

import html
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from pysubs2.formats.subrip import SubripFormat
from pysubs2.formats.webvtt import WebVTTFormat

from etbgm_kit.languages import primary
from etbgm_kit.types import Segment, Span, Transcript

LINE_CHARACTERS = 42
WIDE_LINE_CHARACTERS = 16
"""Characters per line, the second for languages with wide characters."""

CUE_S = 7.0
SHORTEST_CUE_S = 5 / 6
CHARACTERS_PER_S = 20
"""Limits of a cue; a shorter or faster one stays as long as the speech after it permits."""

_WIDE = ("ko", "ja", "zh", "cmn", "yue")
_GAP_S = 0.08
"""Time between a cue that is prolonged and the next one: two frames."""

_PAUSE_S = 0.5
_LONG_PAUSE_S = 2.0
"""Pauses at which a cue may end; a long one ends it."""

_SENTENCE_ENDS, _PHRASE_ENDS = ".?!…。？！", ",;:、，；：—–"
_CUE_COST, _HASTE_COST, _IMBALANCE_COST = 4.0, 8.0, 0.05
_BREAK_COSTS = {"sentence": 0.0, "pause": 0.5, "phrase": 1.0, "word": 4.0, "short word": 6.0}
"""Costs of cues and line breaks: a break within a phrase is worth a cue."""


@dataclass(frozen=True, slots=True)
class _Token:
    """A word and whether a space precedes it."""

    text: str
    span: Span
    spaced: bool


@dataclass(frozen=True, slots=True)
class _Cue:
    span: Span
    lines: tuple[str, ...]


def write_srt(transcript: Transcript) -> str:
    """Returns SubRip text."""
    return "".join(
        f"{number}\n{_timing(cue.span, SubripFormat)}\n" + "\n".join(cue.lines) + "\n\n"
        for number, cue in enumerate(_cues(transcript), 1)
    )


def write_vtt(transcript: Transcript) -> str:
    """Returns WebVTT text."""
    return "WEBVTT\n\n" + "".join(
        f"{_timing(cue.span, WebVTTFormat)}\n" + html.escape("\n".join(cue.lines), quote=False) + "\n\n"
        for cue in _cues(transcript)
    )


def _cues(transcript: Transcript) -> Iterator[_Cue]:
    wide = primary(transcript.language) in _WIDE
    width = WIDE_LINE_CHARACTERS if wide else LINE_CHARACTERS
    tokens = [token for segment in transcript.segments for token in _tokens(segment, width)]
    layout = _Layout(tokens, width)
    for begin, end in layout.cut():
        middle = layout.line_break(begin, end)
        lines = ((begin, end),) if middle is None else ((begin, middle), (middle, end))
        span = Span(tokens[begin].span.start_s, layout.shown_until_s(begin, end))
        yield _Cue(span, tuple(_text(tokens[first:last]) for first, last in lines))


class _Layout:
    """Distributes tokens over cues and lines of `width` characters; ranges of tokens exclude their end."""

    def __init__(self, tokens: list[_Token], width: int) -> None:
        self._tokens, self._width = tokens, width
        lengths = (len(token.text) + token.spaced for token in tokens)
        self._before = list(itertools.accumulate(lengths, initial=0))
        self._breaks = [_break_cost(one, other) for one, other in pairwise(tokens)]

    def cut(self) -> list[tuple[int, int]]:
        """Returns the ranges of the cues of which the sum of costs is least (dynamic programming)."""
        count = len(self._tokens)
        best, begins = [0.0, *[math.inf] * count], [0] * (count + 1)
        for end in range(1, count + 1):
            for begin in range(end - 1, -1, -1):
                middle = self.line_break(begin, end)
                if begin < end - 1 and not self._fits(begin, middle, end):
                    break
                cost = best[begin] + self._cost(begin, middle, end)
                if cost < best[end]:
                    best[end], begins[end] = cost, begin
        cuts = [count]
        while cuts[-1]:
            cuts.append(begins[cuts[-1]])
        return list(pairwise(reversed(cuts)))

    def line_break(self, begin: int, end: int) -> int | None:
        """Returns the first token of the second line, None for a single line."""
        if self._length(begin, end) <= self._width:
            return None
        return min(range(begin + 1, end), key=lambda i: self._line_cost(begin, i, end), default=None)

    def shown_until_s(self, begin: int, end: int) -> float:
        """Returns when the cue ends: after its last word, or later if it would be hard to read."""
        start_s, end_s = self._tokens[begin].span.start_s, self._tokens[end - 1].span.end_s
        wanted_s = start_s + self._wanted_s(begin, end)
        if end < len(self._tokens):
            wanted_s = min(wanted_s, self._tokens[end].span.start_s - _GAP_S)
        return max(end_s, wanted_s)

    def _fits(self, begin: int, middle: int | None, end: int) -> bool:
        """Whether the tokens may be one cue, given that those after the first may."""
        first, second, last = self._tokens[begin], self._tokens[begin + 1], self._tokens[end - 1]
        if last.span.end_s - first.span.start_s > CUE_S or self._length(begin, end) > 2 * self._width:
            return False
        in_lines = middle is None or self._line_cost(begin, middle, end) < math.inf
        return in_lines and second.span.start_s - first.span.end_s < _LONG_PAUSE_S

    def _cost(self, begin: int, middle: int | None, end: int) -> float:
        shown_s = self.shown_until_s(begin, end) - self._tokens[begin].span.start_s
        haste = max(0.0, 1 - shown_s / self._wanted_s(begin, end))
        inner = 0.0 if middle is None else self._breaks[middle - 1] / 2
        outer = self._breaks[end - 1] if end < len(self._tokens) else 0.0
        return _CUE_COST + _HASTE_COST * haste + inner + outer

    def _line_cost(self, begin: int, middle: int, end: int) -> float:
        one, other = self._length(begin, middle), self._length(middle, end)
        if max(one, other) > self._width:
            return math.inf
        return self._breaks[middle - 1] + _IMBALANCE_COST * abs(one - other)

    def _wanted_s(self, begin: int, end: int) -> float:
        return min(CUE_S, max(SHORTEST_CUE_S, self._length(begin, end) / CHARACTERS_PER_S))

    def _length(self, begin: int, end: int) -> int:
        return self._before[end] - self._before[begin] - self._tokens[begin].spaced


def _break_cost(before: _Token, after: _Token) -> float:
    if before.text.endswith(tuple(_SENTENCE_ENDS)):
        return _BREAK_COSTS["sentence"]
    if after.span.start_s - before.span.end_s >= _PAUSE_S:
        return _BREAK_COSTS["pause"]
    if before.text.endswith(tuple(_PHRASE_ENDS)):
        return _BREAK_COSTS["phrase"]
    # Articles, prepositions and conjunctions are short and belong to what follows.
    return _BREAK_COSTS["short word" if len(before.text) <= 3 else "word"]


def _text(tokens: list[_Token]) -> str:
    return "".join(" " * token.spaced + token.text for token in tokens).strip()


def _tokens(segment: Segment, width: int) -> Iterator[_Token]:
    """Yields the segment's words with its own spacing; those longer than a line in parts."""
    at = 0
    for text, span in [(word.text, word.span) for word in segment.words] or _spread(segment):
        found = segment.text.find(text, at)
        spaced = found < 0 or found == 0 or segment.text[found - 1].isspace()
        at = found + len(text) if found >= 0 else at
        parts = [text[i : i + width] for i in range(0, len(text), width)]
        for number, part in enumerate(parts):
            yield _Token(part, span, spaced and number == 0)


def _spread(segment: Segment) -> list[tuple[str, Span]]:
    """Returns the words of a segment without word times; each takes time in proportion to its characters."""
    words = segment.text.split()
    letters = max(1, sum(map(len, words)))
    timed, before = [], 0
    for word in words:
        edges = (before, before + len(word))
        start_s, end_s = (segment.span.start_s + segment.span.duration_s * edge / letters for edge in edges)
        timed.append((word, Span(start_s, end_s)))
        before += len(word)
    return timed


def _timing(span: Span, caption_format: type[SubripFormat]) -> str:
    start, end = (
        caption_format.ms_to_timestamp(round(time_s * 1000)) for time_s in (span.start_s, span.end_s)
    )
    return f"{start} --> {end}"
