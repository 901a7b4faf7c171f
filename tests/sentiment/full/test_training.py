"""Training, calibration and export end to end on a tiny encoder and a few rows."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from etbgm_kit.models.folders import BrokenModel
from etbgm_kit.types import Emotion
from etbgm_sentiment.export.folder import write_folder
from etbgm_sentiment.export.four_bits import has_four_bits
from etbgm_sentiment.export.own import load
from etbgm_sentiment.goemotions import Row
from etbgm_sentiment.model_folder import Precision
from etbgm_sentiment.onnx_classifier import OnnxClassifier
from etbgm_sentiment.training import teacher as teaching
from etbgm_sentiment.training import train as training
from etbgm_sentiment.training import vocabulary
from etbgm_sentiment.training.e5 import E5File
from etbgm_sentiment.training.model import base_model, load_model
from etbgm_sentiment.training.soup import average
from etbgm_sentiment.training.teacher import taught
from etbgm_sentiment.training.train import LOG, Recipe, train

from .e5_file import PIECES, packed, write_e5

LINES = {
    Emotion.JOY: ("happy", "happy happy", "happy train"),
    Emotion.SADNESS: ("sad", "sad sad", "sad train"),
    Emotion.NEUTRAL: ("train", "train train", "train train train"),
}
ENGLISH = [Row(line, (emotion,), n) for emotion, lines in LINES.items() for n, line in enumerate(lines)]
KOREAN = [Row("행복", (Emotion.JOY,), n) for n in range(3)]
ROWS = [*ENGLISH, *KOREAN]


@pytest.fixture
def e5(tmp_path: Path) -> E5File:
    path = tmp_path / "e5.bin"
    write_e5(path)
    return E5File(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_file_is_read_exactly(tmp_path: Path) -> None:
    tensors = write_e5(tmp_path / "e5.bin")
    file = E5File(tmp_path / "e5.bin", hashlib.sha256((tmp_path / "e5.bin").read_bytes()).hexdigest())
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(file.tensor(name, tensor.shape), tensor)
    assert [piece for piece, _ in file.pieces.scored] == list(PIECES)
    assert (file.sizes.hidden, file.sizes.layers, file.sizes.vocabulary) == (32, 1, len(PIECES))


def test_another_file_is_refused(tmp_path: Path) -> None:
    write_e5(tmp_path / "e5.bin")
    with pytest.raises(ValueError, match=r"e5\.bin has SHA-256"):
        E5File(tmp_path / "e5.bin")


def test_unneeded_tokens_go_and_words_keep_their_pieces(e5: E5File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "top_n_list", lambda language, _: ["happy"] if language == "en" else [])
    kept = vocabulary.needed_pieces(e5.pieces)
    names = [e5.pieces.scored[number][0] for number in kept]
    assert {"▁que", "ry", ":", "▁happy", "▁행복"} < set(names)
    assert not {"▁sad", "▁train"} & set(names)
    tokenizer = vocabulary.make_tokenizer(vocabulary.pruned(e5.pieces, kept))
    assert tokenizer.encode("happy").tokens == ["<s>", "▁que", "ry", ":", "▁happy", "</s>"]


def test_words_are_kept_as_people_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "SHOUTED_WORDS", 1)
    assert [*vocabulary._written(["no", "way"])] == ["no", "No", "way", "Way", "NO", "-no", "-No"]


def test_a_model_is_trained_and_exported(e5: E5File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["happy", "sad", "train"]
    monkeypatch.setattr(vocabulary, "top_n_list", lambda language, _: words if language == "en" else [])
    model, tokenizer = base_model(e5)
    recipe = Recipe(epochs=30, batch_rows=3, spoken_share=0.0, learning_rate=5e-3, head_factor=4.0)
    before = model.encoder.embeddings.word_embeddings.weight.clone()
    train(model, tokenizer, [ENGLISH, KOREAN], recipe, checks={"rows": ROWS}, out=tmp_path)
    assert (model.encoder.embeddings.word_embeddings.weight == before).all()
    lines = [json.loads(line) for line in (tmp_path / "training.jsonl").read_text().splitlines()]
    assert lines[-1]["loss"] < lines[1]["loss"]
    assert lines[-1]["rows"]["accuracy"] == 1

    texts = [row.text for row in ROWS]
    parity = write_folder(load(tmp_path, ROWS, Precision.INT8), tmp_path / "model", texts)
    assert (parity.same_emotion, parity.mean_difference < 0.01) == (1, True)
    classifier = OnnxClassifier(tmp_path / "model")
    found = [tuple(Emotion)[index] for index in classifier.classify(texts).argmax(1)]
    assert found == [row.emotions[0] for row in ROWS]
    assert {"en", "ko", "ru"} < set(classifier.languages)
    graph = onnx.load(tmp_path / "model/model.onnx").graph
    assert "GatherBlockQuantized" in {node.op_type for node in graph.node}


def test_training_goes_on_from_a_folder(e5: E5File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "top_n_list", lambda *_: ["happy", "sad", "train"])
    recipe = Recipe(epochs=3, batch_rows=3)
    train(*base_model(e5), [ENGLISH], recipe, checks={}, out=tmp_path)
    first = (tmp_path / LOG).read_text()
    model, tokenizer = load_model(tmp_path)
    embeddings = model.encoder.embeddings.word_embeddings.weight.clone()
    head = model.head.weight.detach().clone()
    train(model, tokenizer, [KOREAN], recipe, checks={}, out=tmp_path, earlier_log=first)
    assert (model.encoder.embeddings.word_embeddings.weight == embeddings).all()
    assert not model.encoder.embeddings.word_embeddings.weight.requires_grad
    assert (load_model(tmp_path)[0].head.weight != head).any()
    assert (tmp_path / LOG).read_text().startswith(first + '{"seconds": 0.0, "event": "start"')


def test_an_interrupted_run_ends_as_if_it_had_not_been(
    e5: E5File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "top_n_list", lambda *_: ["happy", "sad", "train"])
    monkeypatch.setattr(training, "CHECKPOINT_STEPS", 4)
    recipe, step = Recipe(epochs=3, batch_rows=3, checks_per_epoch=1), training._step

    def run(folder: Path) -> dict[str, torch.Tensor]:
        folder.mkdir(exist_ok=True)
        torch.manual_seed(recipe.random_seed)
        model, tokenizer = base_model(e5)
        train(model, tokenizer, [ENGLISH, KOREAN], recipe, checks={}, out=folder)
        return load_model(folder)[0].state_dict()

    whole = run(tmp_path / "whole")
    left = iter(range(6))

    def killed(*arguments: Any) -> float:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(training, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "killed")
    monkeypatch.setattr(training, "_step", step)
    resumed = run(tmp_path / "killed")
    assert all(torch.equal(resumed[name], tensor) for name, tensor in whole.items())
    logs = [(tmp_path / name / LOG).read_text().splitlines() for name in ("whole", "killed")]
    lines = [[json.loads(line) for line in log] for log in logs]
    assert [line["event"] for line in lines[1]] == ["start", "check", "continue", "check", "check"]
    assert lines[1][2]["step"] == 4
    assert [line["loss"] for line in lines[1] if "loss" in line] == [
        line["loss"] for line in lines[0] if "loss" in line
    ]
    assert not (tmp_path / "killed/checkpoint.pt").exists()


def test_runs_are_averaged(e5: E5File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "top_n_list", lambda *_: ["happy", "sad", "train"])
    runs = [tmp_path / "a", tmp_path / "b"]
    for seed, folder in enumerate(runs):
        folder.mkdir()
        recipe = Recipe(batch_rows=3, random_seed=seed)
        train(*base_model(e5), [ENGLISH], recipe, checks={}, out=folder)
    average(runs, tmp_path / "mean")
    first, second, mean = (load_model(folder)[0].state_dict() for folder in (*runs, tmp_path / "mean"))
    assert not torch.equal(first["head.weight"], second["head.weight"])
    for name, weights in mean.items():
        torch.testing.assert_close(weights, (first[name] + second[name]) / 2)
    assert (tmp_path / "mean" / LOG).read_text().count('"event": "start"') == 2
    monkeypatch.setattr(vocabulary, "top_n_list", lambda *_: ["happy"])
    train(*base_model(e5), [ENGLISH], Recipe(batch_rows=3), checks={}, out=runs[1])
    with pytest.raises(BrokenModel, match="not of the same start"):
        average(runs, tmp_path / "mean")


def test_only_tables_of_four_bits_are_packed() -> None:
    values = np.random.default_rng(1).normal(0, 1, (6, 64)).astype(np.float32)
    assert has_four_bits(packed(values)[0], 32)
    assert not has_four_bits(values, 32)
    assert not has_four_bits(packed(values)[0][:, :48], 32)


def test_a_teacher_answers_alike_for_translations_and_is_asked_once(
    e5: E5File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "top_n_list", lambda *_: ["happy", "sad", "train"])
    asked: list[Path] = []
    monkeypatch.setattr(teaching, "load_model", lambda folder: asked.append(folder) or load_model(folder))
    teachers, out = (tmp_path / "one", tmp_path / "other"), tmp_path / "out"
    out.mkdir()
    for epochs, folder in enumerate(teachers, start=3):
        folder.mkdir()
        train(*base_model(e5), [ENGLISH], Recipe(epochs, batch_rows=3), checks={}, out=folder)
    languages = [ENGLISH[:3], KOREAN]
    answers = [taught(teacher, languages, out) for teacher in (*teachers, *teachers)]
    assert tuple(asked) == teachers
    torch.testing.assert_close(answers[0].sum(1), torch.ones(6))
    assert torch.equal(answers[0][:3], answers[0][3:])
    assert [torch.equal(answers[0], other) for other in answers[1:]] == [False, True, False]
    taught(teachers[0], [ENGLISH[1:]], out)
    assert tuple(asked) == (*teachers, teachers[0])
    with pytest.raises(ValueError, match="row 10 of a translation has no original"):
        taught(teachers[0], [ENGLISH[:3], [Row("행복", (Emotion.JOY,), 9)]], out)


def test_a_student_learns_what_its_teacher_says(
    e5: E5File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "top_n_list", lambda *_: ["happy", "sad", "train"])
    fear = torch.zeros(len(ENGLISH), len(Emotion))
    fear[:, tuple(Emotion).index(Emotion.FEAR)] = 1
    recipe = Recipe(epochs=20, batch_rows=3, spoken_share=0.0, learning_rate=5e-3, taught_share=1.0)
    model, tokenizer = base_model(e5)
    train(model, tokenizer, [ENGLISH], recipe, checks={}, out=tmp_path, taught=fear)
    answers = training.logits(model, tokenizer, [row.text for row in ENGLISH]).argmax(1)
    assert {tuple(Emotion)[answer] for answer in answers} == {Emotion.FEAR}
