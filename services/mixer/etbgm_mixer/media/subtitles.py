"""Extracts a video's text subtitles, timed from the video's first instant.

Only tracks that say something are returned: not those that are empty, hold only drawings or
descriptions of sounds, or lie after the video's end.
"""

import html
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from etbgm_kit.errors import InvalidField
from etbgm_mixer.media import commands, ffmpeg
from etbgm_mixer.media.ffmpeg import Unreadable
from etbgm_mixer.types import MediaFacts, SubtitleStream

log = logging.getLogger(__name__)

TIMEOUT_S = 120.0

MOST_TRACKS = 8
"""Tracks that are read; a film may have dozens."""

_ASS = frozenset({"ass", "ssa"})
"""Codecs that ffmpeg must not convert to WebVTT: it turns their drawings into text."""

_OVERRIDES = re.compile(r"\{([^{}]*)\}")
_DRAWING = re.compile(r"\\p(\d+)")
"""Text after `\\p1`, or another scale above 0, is commands of a drawing; `\\p0` ends them."""


def extract(video: Path, facts: MediaFacts, folder: Path) -> list[tuple[SubtitleStream, str]]:
    """Returns the subtitle streams that say something, the best one first, and their text as WebVTT.

    Of more than MOST_TRACKS streams, the best ones are read. Streams that cannot be read are left
    out. Writes temporary files to `folder`. Raises OSError if the disk is full.
    """
    streams = sorted(facts.subtitles, key=_rank)[:MOST_TRACKS]
    files = {stream: folder / f"subtitles-{stream.index}" for stream in streams}
    if files:
        _extract(video, facts, files)
    texts = ((stream, _read(stream, file, facts.duration_s)) for stream, file in files.items())
    return [(stream, text) for stream, text in texts if text]


def vtt_of_ass(text: str) -> str:
    """Returns the dialogue of Advanced SubStation Alpha as WebVTT, without drawings and style tags."""
    from pysubs2 import SSAEvent, SSAFile

    from etbgm_kit.media.captions import LONGEST_CUE

    # Styles are left out, because pysubs2 does not accept malformed ones.
    dialogue = "\n".join(line for line in text.split("\n") if line.startswith("Dialogue:"))
    parsed = SSAFile.from_string(dialogue, "ass")
    events = ((event.start, event.end, _words(event.text)) for event in parsed if event.start < event.end)
    # Layers repeat the same words, for example as their outline.
    said = dict.fromkeys(event for event in events if 0 < len(event[2]) <= LONGEST_CUE)
    written = SSAFile()
    written.events = [
        SSAEvent(start, end, html.escape(words, quote=False).replace("\n", r"\N"))
        for start, end, words in said
    ]
    return written.to_string("vtt")


def _rank(stream: SubtitleStream) -> tuple[bool, bool, bool, int]:
    return stream.is_partial, not stream.is_default, stream.is_hearing_impaired, stream.index


def _extract(video: Path, facts: MediaFacts, files: Mapping[SubtitleStream, Path]) -> None:
    """Writes all streams in one pass, or, if one of them stops it, each in its own."""
    try:
        _convert(video, facts, list(files.items()))
    except TimeoutError:
        for file in files.values():
            file.unlink(missing_ok=True)
        log.warning("subtitles took too long", extra={"timeout_s": TIMEOUT_S, "streams": len(files)})
    except Unreadable:
        for stream, file in files.items():
            try:
                _convert(video, facts, [(stream, file)])
            except (Unreadable, TimeoutError):
                file.unlink(missing_ok=True)


def _convert(video: Path, facts: MediaFacts, files: Sequence[tuple[SubtitleStream, Path]]) -> None:
    source = commands.shifted(video, facts.origin_s)
    forms = ["ass" if stream.codec in _ASS else "webvtt" for stream, _ in files]
    command = commands.writing_each(
        (source[str(stream.index)], file, {"c:s": form, "f": form})
        for (stream, file), form in zip(files, forms, strict=True)
    )
    otherwise = "has subtitles that cannot be read"
    ffmpeg.convert(command, facts.duration_s, lambda _: None, TIMEOUT_S, otherwise)


def _read(stream: SubtitleStream, file: Path, duration_s: float) -> str | None:
    """Returns the WebVTT of a stream that was written to `file`; None if it says nothing that can be read."""
    from etbgm_kit.media.captions import MOST_BYTES, read_captions

    if not file.exists() or file.stat().st_size > MOST_BYTES:
        return None
    text = file.read_text(encoding="utf-8", errors="replace")
    try:
        vtt = vtt_of_ass(text) if stream.codec in _ASS else text
        return vtt if read_captions(vtt, duration_s=duration_s).segments else None
    except (InvalidField, ValueError):  # ValueError: a time that pysubs2 cannot parse
        return None


def _words(text: str) -> str:
    """Returns the lines of an event that are words."""
    written = "".join(_written(text)).replace(r"\h", " ").replace(r"\n", "\n").replace(r"\N", "\n")
    return "\n".join(line for line in map(str.strip, written.split("\n")) if line)


def _written(text: str) -> Iterator[str]:
    draws = False
    for number, part in enumerate(_OVERRIDES.split(text)):
        if number % 2:
            for scale in _DRAWING.findall(part):
                draws = int(scale[:9]) > 0
        elif not draws:
            yield part
