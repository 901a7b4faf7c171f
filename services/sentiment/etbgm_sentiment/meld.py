"""MELD: dialogues of a TV series with emotions and times, used for evaluation only.

Poria et al., "MELD: A Multimodal Multi-Party Dataset for Emotion Recognition in
Conversations", ACL 2019. Read from its CSV files or from JSON lines with one
dialogue each: {"segments": [{"start", "end", "text", "emotion"}, ...]}, in seconds.
"""

import csv
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from etbgm_kit.types import Emotion, Segment, Span, Transcript

MIN_SEGMENTS = 5
MAX_DURATION_S = 180.0
"""Dialogues of a CSV that are shorter, longer or out of order (wrong times) are skipped."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A transcript and the emotion of each segment."""

    transcript: Transcript
    emotions: tuple[Emotion, ...]

    @property
    def duration_s(self) -> float:
        """From the first segment's start, 0, to the end of the last one."""
        return self.transcript.segments[-1].span.end_s


Labelled = tuple[Span, str, Emotion]


def read_dialogues(path: Path) -> list[Dialogue]:
    """Returns all usable dialogues of a CSV or JSON lines file, each starting at 0 s."""
    if path.suffix == ".csv":
        return [_dialogue(rows) for rows in _csv_dialogues(path) if _usable(rows)]
    with path.open() as lines:
        return [_dialogue(_labelled(json.loads(line)["segments"])) for line in lines]


def _dialogue(rows: list[Labelled]) -> Dialogue:
    """Creates a dialogue; cuts the later of overlapping segments, because overlaps are not supported."""
    segments, emotions = [], []
    edge_s = 0.0
    for span, text, emotion in rows:
        if span.end_s > edge_s:
            segments.append(Segment(Span(max(span.start_s, edge_s), span.end_s), text, 1.0))
            emotions.append(emotion)
            edge_s = span.end_s
    return Dialogue(Transcript(tuple(segments), "en"), tuple(emotions))


def _usable(rows: list[Labelled]) -> bool:
    ordered = all(one[0].start_s <= after[0].start_s for one, after in itertools.pairwise(rows))
    forward = all(span.start_s < span.end_s for span, _, _ in rows)
    end_s = max(span.end_s for span, _, _ in rows)
    return len(rows) >= MIN_SEGMENTS and ordered and forward and end_s <= MAX_DURATION_S


def _csv_dialogues(path: Path) -> Iterator[list[Labelled]]:
    with path.open(encoding="utf-8") as lines:
        for _, rows in itertools.groupby(csv.DictReader(lines), key=lambda row: row["Dialogue_ID"]):
            times = [(row, _seconds(row["StartTime"]), _seconds(row["EndTime"])) for row in rows]
            first_s = times[0][1]
            yield [
                (Span(start_s - first_s, end_s - first_s), row["Utterance"], Emotion(row["Emotion"]))
                for row, start_s, end_s in times
            ]


def _labelled(segments: Iterable[dict[str, str]]) -> list[Labelled]:
    return [
        (Span(float(segment["start"]), float(segment["end"])), segment["text"], Emotion(segment["emotion"]))
        for segment in segments
    ]


def _seconds(clock: str) -> float:
    """Converts a time such as "00:16:16,059" to seconds."""
    hours, minutes, seconds = clock.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
