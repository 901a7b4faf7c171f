"""GoEmotions: Reddit comments labelled with Ekman's emotions.

Demszky et al., "GoEmotions: A Dataset of Fine-Grained Emotions", ACL 2020, Apache-2.0.
A row of the TSV is `text <tab> comma-separated label numbers <tab> comment id`.
"""

import csv
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from etbgm_kit.types import Emotion

HELD_OUT_SHARE = 0.08
"""Share of the training rows that are held out for calibration."""

_EMOTIONS = tuple(Emotion)


@dataclass(frozen=True, slots=True)
class Row:
    """One comment with one or more emotions."""

    text: str
    emotions: tuple[Emotion, ...]
    comment_id: str


def read_rows(path: Path) -> list[Row]:
    """Reads a TSV, gzipped if its name ends in .gz.

    Raises:
        ValueError: a label is not the number of one of the seven emotions.
    """
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open() as lines:
        records = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [Row(text, _emotions(labels), comment_id) for text, labels, comment_id in records]


def single_label(rows: list[Row]) -> list[Row]:
    """Returns the rows whose annotators agreed on one emotion; the scores are measured on these."""
    return [row for row in rows if len(row.emotions) == 1]


def split_held_out(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Returns training and held-out rows; the comment's id decides, so the split never changes."""
    threshold = int(HELD_OUT_SHARE * 2**32)
    held_out = [row for row in rows if zlib.crc32(row.comment_id.encode()) < threshold]
    training = [row for row in rows if zlib.crc32(row.comment_id.encode()) >= threshold]
    return training, held_out


def _emotions(labels: str) -> tuple[Emotion, ...]:
    numbers = [int(label) for label in labels.split(",")]
    if not all(0 <= number < len(_EMOTIONS) for number in numbers):
        raise ValueError(f"labels must be in 0..{len(_EMOTIONS) - 1}: {labels}")
    return tuple(_EMOTIONS[number] for number in numbers)
