"""GoEmotions: Reddit comments labelled with Ekman's emotions.

Demszky et al., "GoEmotions: A Dataset of Fine-Grained Emotions", ACL 2020, Apache-2.0.
A row of the TSV is `text <tab> comma-separated label numbers`; further columns are ignored.
Translations of the data have the same rows in the same order.
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
    number: int
    """Position in the file, from 0."""


def read_rows(path: Path) -> list[Row]:
    """Reads a TSV, gzipped if its name ends in .gz.

    Raises:
        ValueError: a row has one column, or a label is not the number of one of the seven emotions.
    """
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open() as lines:
        records = list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [_row(number, record) for number, record in enumerate(records)]


def single_label(rows: list[Row]) -> list[Row]:
    """Returns the rows whose annotators agreed on one emotion; the scores are measured on these."""
    return [row for row in rows if len(row.emotions) == 1]


def split_held_out(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Returns training and held-out rows; the row's number decides, so all translations are split alike."""
    threshold = int(HELD_OUT_SHARE * 2**32)
    held_out = [row for row in rows if zlib.crc32(str(row.number).encode()) < threshold]
    training = [row for row in rows if zlib.crc32(str(row.number).encode()) >= threshold]
    return training, held_out


def _row(number: int, record: list[str]) -> Row:
    if len(record) < 2:
        raise ValueError(f"row {number + 1} must be a text, a tab and label numbers")
    return Row(record[0], _emotions(record[1]), number)


def _emotions(labels: str) -> tuple[Emotion, ...]:
    numbers = [int(label) if label.isdecimal() else -1 for label in labels.split(",")]
    if not all(0 <= number < len(_EMOTIONS) for number in numbers):
        raise ValueError(f"labels must be in 0..{len(_EMOTIONS) - 1}: {labels}")
    return tuple(_EMOTIONS[number] for number in numbers)
