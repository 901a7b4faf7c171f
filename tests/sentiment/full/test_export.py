"""Any sequence classifier becomes a graph that says what the classifier says."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertModel
from typer.testing import CliRunner

from etbgm_kit.types import Emotion
from etbgm_sentiment.cli import app
from etbgm_sentiment.export.command import export_any
from etbgm_sentiment.export.huggingface import Origin
from etbgm_sentiment.export.parity import SENTENCES, Parity
from etbgm_sentiment.model_folder import Precision, read_facts
from etbgm_sentiment.onnx_classifier import OnnxClassifier
from tests.sentiment.full import tiny

LARGEST = {Precision.FP32: 1e-4, Precision.FP16: 0.01, Precision.INT8: 0.05}
"""Difference of a probability from torch's, any sentence."""


def export(model: Path, out: Path, precision: Precision = Precision.FP32) -> Parity:
    origin = Origin(str(model), "", "tiny", "a test", "unknown", ("en",))
    return export_any(origin, {}, precision, out, None)


@pytest.mark.parametrize(
    ("make", "labels", "many", "pad_id"),
    [
        (tiny.bert, tiny.HARTMANN, False, 0),
        (tiny.distilbert, ("sadness", "joy", "love", "anger", "fear", "surprise"), False, 0),
        (tiny.roberta, tiny.GOEMOTIONS, True, 1),
    ],
)
def test_the_graph_says_what_torch_says(
    tmp_path: Path, make: Callable[..., Path], labels: tuple[str, ...], many: bool, pad_id: int
) -> None:
    parity = export(make(tmp_path / "model", labels, many=many), tmp_path / "out")
    assert parity.sentences == len(SENTENCES)
    assert parity.largest_difference <= LARGEST[Precision.FP32]
    probabilities = OnnxClassifier(tmp_path / "out").classify(SENTENCES)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert np.ptp(probabilities, 0).max() > 0.05, "all sentences got the same: nothing was compared"
    facts = read_facts(tmp_path / "out")
    # RoBERTa has 42 positions and leaves 2 of them free, the others have 40.
    assert (facts.pad_id, facts.max_length) == (pad_id, 40)
    assert tuple(facts.labels) == labels
    assert (facts.name, facts.languages, facts.licence) == ("tiny", ("en",), "unknown")


def test_what_a_classifier_has_learnt_is_known_at_every_precision(tmp_path: Path, trained: Path) -> None:
    texts, labels = zip(*tiny.sentences(), strict=True)
    sizes = []
    for precision in (Precision.FP32, Precision.FP16, Precision.INT8):
        parity = export(trained, tmp_path, precision)
        probabilities = OnnxClassifier(tmp_path).classify(texts)
        assert [tuple(Emotion)[index] for index in probabilities.argmax(1)] == list(labels)
        assert probabilities[texts.index("I am so happy"), tuple(Emotion).index(Emotion.JOY)] > 0.9
        assert parity.same_emotion == 1
        assert parity.largest_difference <= LARGEST[precision]
        assert json.loads((tmp_path / "parity.json").read_text()) == asdict(parity)
        sizes.append((tmp_path / "model.onnx").stat().st_size)
    assert sizes == sorted(sizes, reverse=True)


def run(*arguments: object) -> tuple[int, list[str]]:
    result = CliRunner().invoke(app, ["export", *map(str, arguments)])
    return result.exit_code, result.output.splitlines()


def test_labels_that_no_table_knows_are_named_and_can_be_given(tmp_path: Path) -> None:
    model = tiny.bert(tmp_path / "model", ("POSITIVE", "NEGATIVE"))
    code, (line,) = run(model, "--out", tmp_path / "out")
    assert code == 1
    assert "POSITIVE, NEGATIVE" in line
    given = ["--map", "positive=joy", "--map", "NEGATIVE=sadness"]
    code, lines = run(model, "--out", tmp_path / "out", *given, "--precision", "fp32", "--language", "en")
    assert code == 0, lines
    facts = read_facts(tmp_path / "out")
    assert facts.labels == {"POSITIVE": Emotion.JOY, "NEGATIVE": Emotion.SADNESS}
    assert run(model, "--out", tmp_path / "out", "--map", "POSITIVE=bliss")[0] == 1


def without_head(folder: Path) -> None:
    BertModel.from_pretrained(folder).save_pretrained(folder)


def pickled(folder: Path) -> None:
    torch.save({}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def cut_off(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (without_head, "not fine-tuned"),
        (pickled, "safetensors"),
        (cut_off, "cannot be loaded"),
        (gone, "cannot be loaded"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_line(
    tmp_path: Path, harm: Callable[[Path], None], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = tiny.bert(tmp_path / "model")
    harm(model)
    code, lines = run(model, "--out", tmp_path / "out")
    assert code == 1
    assert why in lines[-1]
