"""The scores that the committed classifier must reach."""

from pathlib import Path

import pytest

from etbgm_kit.types import Emotion
from etbgm_sentiment.evaluation import score_rows
from etbgm_sentiment.goemotions import read_rows, single_label
from etbgm_sentiment.onnx_classifier import OnnxClassifier

pytestmark = pytest.mark.drill


def test_scores_on_the_dev_split(test_data: Path) -> None:
    rows = single_label(read_rows(test_data / "text/goemotions/ekman_dev.tsv"))
    scores = score_rows(OnnxClassifier(), [row.text for row in rows], rows)
    assert scores.macro_f1 >= 0.64
    assert scores.recall[Emotion.NEUTRAL] >= 0.65
