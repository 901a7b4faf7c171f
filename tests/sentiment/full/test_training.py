"""Training, calibration and export end to end on a few rows."""

import json
from pathlib import Path

import numpy as np

from etbgm_kit.types import Emotion
from etbgm_sentiment.export.folder import write_folder
from etbgm_sentiment.export.minilm import load
from etbgm_sentiment.goemotions import Row
from etbgm_sentiment.model_folder import Precision
from etbgm_sentiment.onnx_classifier import OnnxClassifier
from etbgm_sentiment.tokens import load_tokenizer
from etbgm_sentiment.training.model import base_folder, base_model
from etbgm_sentiment.training.train import Recipe, train

LINES = {
    Emotion.JOY: ("I love it so much", "what a happy day", "this is wonderful"),
    Emotion.SADNESS: ("I cried all night", "he died and I miss him", "this is so sad"),
    Emotion.NEUTRAL: ("the shop opens at nine", "we took the train", "it is on the table"),
}
ROWS = [Row(line, (emotion,), line) for emotion, lines in LINES.items() for line in lines]


def test_a_model_is_trained_and_exported(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(base_folder() / "tokenizer.json")
    recipe = Recipe(epochs=8, batch_rows=3, spoken_share=0.0)
    train(base_model(), tokenizer, ROWS, recipe, checks={"rows": ROWS}, out=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[1]["loss"]
    assert lines[-1]["rows"]["accuracy"] == 1

    texts = [row.text for row in ROWS]
    exportable = load(tmp_path / "weights.safetensors", ROWS, Precision.INT8)
    parity = write_folder(exportable, tmp_path / "model", texts)
    assert parity.same_emotion == 1
    assert parity.mean_difference < 0.01
    probabilities = OnnxClassifier(tmp_path / "model").classify(texts)
    found = [tuple(Emotion)[index] for index in probabilities.argmax(1)]
    assert found == [row.emotions[0] for row in ROWS]
    assert np.isfinite(probabilities).all()
