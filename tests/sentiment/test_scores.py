"""The scores that the committed classifier must reach."""

from pathlib import Path

import pytest

from etbgm_kit.types import Emotion
from etbgm_sentiment.evaluation import score_rows
from etbgm_sentiment.goemotions import read_rows, single_label
from etbgm_sentiment.onnx_classifier import OnnxClassifier

pytestmark = pytest.mark.drill


@pytest.mark.parametrize(
    ("data_set", "macro_f1"), [("goemotions", 0.65), ("goemotions_ko", 0.57), ("goemotions_ru", 0.48)]
)
def test_scores_on_the_dev_splits(test_data: Path, data_set: str, macro_f1: float) -> None:
    rows = single_label(read_rows(test_data / "text" / data_set / "ekman_dev.tsv"))
    scores = score_rows(OnnxClassifier(), [row.text for row in rows], rows)
    assert scores.macro_f1 >= macro_f1
    assert scores.recall[Emotion.NEUTRAL] >= 0.65
