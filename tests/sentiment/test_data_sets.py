"""Reading GoEmotions and MELD: their formats and what is left out of them."""

import gzip
import json
from pathlib import Path

import pytest

from etbgm_kit.types import Emotion, Span
from etbgm_sentiment.goemotions import HELD_OUT_SHARE, Row, read_rows, single_label, split_held_out
from etbgm_sentiment.meld import read_dialogues

CSV_HEAD = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
)


def test_goemotions_rows_are_read_plain_and_gzipped(tmp_path: Path) -> None:
    text = 'So "good\t3\ta1\nWhy?\t0,6\ta2\n'
    (tmp_path / "rows.tsv").write_text(text)
    with gzip.open(tmp_path / "rows.tsv.gz", "wt") as file:
        file.write(text)
    rows = read_rows(tmp_path / "rows.tsv")
    assert rows == read_rows(tmp_path / "rows.tsv.gz")
    assert rows[0] == Row('So "good', (Emotion.JOY,), 0)
    assert rows[1].emotions == (Emotion.ANGER, Emotion.SURPRISE)
    assert single_label(rows) == rows[:1]


def test_unknown_labels_are_refused(tmp_path: Path) -> None:
    (tmp_path / "rows.tsv").write_text("text\t27\ta1\n")
    with pytest.raises(ValueError, match=r"0\.\.6"):
        read_rows(tmp_path / "rows.tsv")


def test_the_held_out_split_is_disjoint_complete_and_stays() -> None:
    rows = [Row("text", (Emotion.JOY,), i) for i in range(5000)]
    training, held_out = split_held_out(rows)
    assert {*training, *held_out} == {*rows}
    assert len(training) + len(held_out) == len(rows)
    assert len(held_out) / len(rows) == pytest.approx(HELD_OUT_SHARE, abs=0.015)
    assert split_held_out(rows[::-1])[1] == held_out[::-1]


def csv_rows(dialogue: int, *times: tuple[str, str]) -> list[str]:
    return [
        f'1,"Well, fine.",A,joy,positive,{dialogue},{i},1,1,"00:16:{start}","00:16:{end}"'
        for i, (start, end) in enumerate(times)
    ]


def test_meld_csv_leaves_out_what_is_short_or_out_of_order(tmp_path: Path) -> None:
    good = [
        ("16,000", "18,500"),
        ("19,000", "20,000"),
        ("19,500", "22,000"),
        ("20,000", "21,000"),
        ("24,0", "25,0"),
    ]
    swapped = [good[1], good[0], *good[2:]]
    lines = [CSV_HEAD, *csv_rows(1, *good), *csv_rows(2, *swapped), *csv_rows(3, *good[:4])]
    (tmp_path / "meld.csv").write_text("\n".join(lines) + "\n")
    (dialogue,) = read_dialogues(tmp_path / "meld.csv")
    spans = [segment.span for segment in dialogue.transcript.segments]
    assert spans == [Span(0, 2.5), Span(3, 4), Span(4, 6), Span(8, 9)]
    assert dialogue.duration_s == 9
    assert dialogue.emotions == (Emotion.JOY,) * 4


def test_meld_json_lines_are_read(tmp_path: Path) -> None:
    segment = {"start": 0.5, "end": 2.0, "text": "Oh no!", "emotion": "fear", "speaker": "A"}
    (tmp_path / "meld.jsonl").write_text(json.dumps({"dialogue": 1, "segments": [segment]}) + "\n")
    (dialogue,) = read_dialogues(tmp_path / "meld.jsonl")
    assert dialogue.emotions == (Emotion.FEAR,)
    assert dialogue.transcript.segments[0].text == "Oh no!"
