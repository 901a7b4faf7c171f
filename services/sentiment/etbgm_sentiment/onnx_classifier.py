"""The classifier as one ONNX graph: encoder, pooling, head and calibration, on the CPU.

A model folder holds `model.onnx` (inputs input_ids and attention_mask, int64
(batch, length); output probabilities, float32 (batch, 7)), `tokenizer.json` and
`model.json` (the engine's `name` and its weights' `licence`); `etbgm-sentiment export` writes it.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from etbgm_kit.onnx import open_session
from etbgm_kit.types import Emotion, EngineInfo, Ingredient
from etbgm_sentiment.tokens import load_tokenizer, pad, tokenise
from etbgm_sentiment.types import Probabilities

MODEL_FOLDER = Path(__file__).parent / "models" / "minilm-goemotions"
"""The classifier in this package."""

BATCH_ROWS = 32
"""Phrases in one run of the graph: larger batches are no faster on a CPU, and need more memory."""


class OnnxClassifier:
    """Runs a model folder with onnxruntime; safe to call from several threads."""

    def __init__(self, folder: Path = MODEL_FOLDER, threads: int = 2) -> None:
        facts = json.loads((folder / "model.json").read_text())
        self._tokenizer = load_tokenizer(folder / "tokenizer.json")
        self._session = open_session(folder / "model.onnx", threads)
        ingredient = Ingredient("minilm-goemotions", "this package", facts["licence"], True)
        self._info = EngineInfo(facts["name"], _revision(folder), "cpu", (ingredient,))

    @property
    def info(self) -> EngineInfo:
        """Name and licence from model.json; the revision is the hash of graph and tokenizer."""
        return self._info

    @property
    def languages(self) -> tuple[str, ...]:
        """English."""
        return ("en",)

    def classify(self, texts: Sequence[str]) -> Probabilities:
        """See Classifier; batches are cut from the texts sorted by length, which halves the time.

        Activations are rounded to 8 bits by each batch's own scale, so a text's
        neighbours move its probabilities a little (mean 0.006).
        """
        ids = tokenise(self._tokenizer, texts)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        result = np.zeros((len(ids), len(Emotion)), np.float32)
        for start in range(0, len(order), BATCH_ROWS):
            chosen = order[start : start + BATCH_ROWS]
            numbers, mask = pad([ids[i] for i in chosen])
            (result[chosen],) = self._session.run(None, {"input_ids": numbers, "attention_mask": mask})
        return result


def _revision(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("model.onnx", "tokenizer.json"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:12]
