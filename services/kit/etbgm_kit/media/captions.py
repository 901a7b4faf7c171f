"""Reads SubRip and WebVTT captions as a transcript.

pysubs2 parses the formats. This module keeps only the spoken words: it removes markup,
speakers' names and descriptions of sounds.
"""

import html
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pysubs2
from pysubs2.formats.subrip import SubripFormat
from pysubs2.formats.webvtt import WebVTTFormat

from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Segment, Span, Transcript

MOST_BYTES = 8 << 20
"""More than the captions of a full day of speech."""

LONGEST_CUE = 10_000
"""Characters. The search for markup that never closes takes quadratic time, 30 ms at this length."""

_ROLL_S = 0.05
"""Roll-up captions repeat their last line alone for about 10 ms before it moves up."""

_KARAOKE = re.compile(r"<\d[\d:.]*>")
_SOUND = re.compile(r"\[[^\]]*\]|\([^)]*\)|♪[^♪]*♪|[♪♫]")
_SPEAKER = re.compile(r"^\s*(-+|>>+)?\s*([A-Z][A-Z .'-]+:(?=\s))?\s*")


@dataclass(frozen=True, slots=True)
class _Cue:
    span: Span
    lines: tuple[str, ...]


def read_captions(text: str, language: str = "en", duration_s: float | None = None) -> Transcript:
    """The transcript in SubRip or WebVTT `text`, one segment for each caption with speech.

    Captions are sorted by time; one that overlaps the next ends where the next begins;
    everything at or after `duration_s` is cut off. Text without content says nothing. Raises
    InvalidField("captions") if the text is in neither format, a line with times cannot be
    parsed or a caption is longer than LONGEST_CUE.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return Transcript((), language)
    is_vtt = re.match(r"WEBVTT(\s|$)", text) is not None
    _check(text, WebVTTFormat if is_vtt else SubripFormat)
    # pysubs2 mistakes a number at the end of a caption for the number of the next one.
    numbered = (_numbered(text) if is_vtt else text) + "\n\n0\n"
    parsed = pysubs2.SSAFile.from_string(numbered, "vtt" if is_vtt else "srt")
    end_s = math.inf if duration_s is None else duration_s
    cues = [
        _Cue(Span(event.start / 1000, min(event.end / 1000, end_s)), _spoken_lines(event.plaintext))
        for event in parsed
        if event.start < min(event.end, end_s * 1000)
    ]
    spoken = _without_repeats(sorted(cues, key=lambda cue: cue.span))
    return Transcript(tuple(_without_overlap(list(spoken))), language)


def _check(text: str, caption_format: type[SubripFormat]) -> None:
    timings = [(number, line) for number, line in enumerate(text.split("\n"), 1) if "-->" in line]
    if not timings and caption_format is SubripFormat:
        raise InvalidField("captions", "is neither SubRip nor WebVTT: no line has times")
    if max(map(len, text.split("-->"))) > LONGEST_CUE:
        raise InvalidField("captions", f"has a caption of more than {LONGEST_CUE:,} characters")
    for number, line in timings:
        times = caption_format.TIMESTAMP.findall(line)
        if len(times) != 2:
            raise InvalidField("captions", f'line {number} is not "start --> end" in hours:minutes:seconds')
        start, end = map(caption_format.timestamp_to_ms, times)
        if end < start:
            raise InvalidField("captions", f"line {number} ends before it starts")


def _numbered(vtt: str) -> str:
    """Only the WebVTT cues, numbered: pysubs2 would treat notes, names and times within cues as text."""
    blocks = re.split(r"\n\s*\n", _KARAOKE.sub("", vtt))
    cues = (re.sub(r"\A(?:(?!.*-->).*\n)*", "", block) for block in blocks if "-->" in block)
    return "\n\n".join(f"{number}\n{cue}" for number, cue in enumerate(cues, 1))


def _spoken_lines(text: str) -> tuple[str, ...]:
    # A description may span several lines, so it is removed before the text is split.
    lines = _SOUND.sub(" ", html.unescape(text)).split("\n")
    cleaned = (" ".join(_SPEAKER.sub("", line).split()) for line in lines)
    return tuple(line for line in cleaned if line)


def _without_repeats(cues: list[_Cue]) -> Iterator[_Cue]:
    """Yields the cues that have text, without the lines that roll up from the previous cue."""
    shown: tuple[str, ...] = ()
    for cue in cues:
        rolls = bool(shown) and cue.lines[:1] == shown[-1:]
        moves_up = rolls and (len(cue.lines) > 1 or cue.span.duration_s < _ROLL_S)
        fresh = cue.lines[1:] if moves_up else cue.lines
        shown = cue.lines
        if fresh:
            yield _Cue(cue.span, fresh)


def _without_overlap(cues: list[_Cue]) -> Iterator[Segment]:
    """Converts ordered cues to segments; merges cues that begin at the same time."""
    groups = [list(group) for _, group in itertools.groupby(cues, key=lambda cue: cue.span.start_s)]
    for group, following in itertools.zip_longest(groups, groups[1:]):
        end_s = min(group[-1].span.end_s, following[0].span.start_s if following else math.inf)
        text = " ".join(line for cue in group for line in cue.lines)
        yield Segment(Span(group[0].span.start_s, end_s), text, 1.0)
