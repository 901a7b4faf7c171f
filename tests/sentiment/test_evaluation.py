"""Scores that can be worked out by hand, the calibration, and the tables' commands."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from etbgm_kit.types import Emotion, EngineInfo, Segment, Span, Transcript
from etbgm_sentiment.cli import app
from etbgm_sentiment.evaluation import classified, score_timelines, unsmoothed
from etbgm_sentiment.meld import Dialogue
from etbgm_sentiment.metrics import score
from etbgm_sentiment.training.calibrate import NEUTRAL_RECALL, Calibration, calibrate, calibration_error
from etbgm_sentiment.types import Probabilities

EMOTIONS = tuple(Emotion)


class FakeClassifier:
    """Sure of the emotion that a text names first, and of nothing else."""

    info = EngineInfo("fake", "1", "cpu")

    def classify(self, texts: Sequence[str]) -> Probabilities:
        named = [EMOTIONS.index(Emotion(text.split()[0])) for text in texts]
        return np.eye(7, dtype=np.float32)[named]


def test_scores_worked_out_by_hand() -> None:
    truth, predicted = np.array([0, 0, 3, 3, 3]), np.array([0, 3, 3, 3, 0])
    scores = score(truth, predicted)
    assert scores.accuracy == pytest.approx(3 / 5)
    assert scores.recall[Emotion.ANGER] == pytest.approx(1 / 2)
    assert scores.precision[Emotion.JOY] == pytest.approx(2 / 3)
    assert scores.macro_f1 == pytest.approx((1 / 2 + 2 / 3) / 7)
    assert score(truth, predicted, np.array([2.0, 0, 1, 1, 0])).accuracy == 1


def test_timelines_are_scored_by_the_time_of_the_segments() -> None:
    segments = (
        Segment(Span(0, 6), "joy a b c.", 1.0),
        Segment(Span(10, 12), "fear a b c.", 1.0),
        Segment(Span(12, 20), "joy a b c.", 1.0),
    )
    dialogue = Dialogue(Transcript(segments, "en"), (Emotion.JOY, Emotion.JOY, Emotion.FEAR))
    cells = classified(FakeClassifier(), [dialogue])
    scores = score_timelines([dialogue], cells, unsmoothed)
    assert scores.accuracy == pytest.approx(6 / 16)
    assert scores.macro_f1 == pytest.approx(2 * 6 / (8 + 14) / 7)
    assert scores.switches_per_minute == pytest.approx(6)


def over_confident_logits() -> tuple[np.ndarray, np.ndarray]:
    """Logits 1.5 times too large (the true ones are twice the noise), that miss neutral talk."""
    random = np.random.default_rng(3)
    truth = random.integers(0, 7, 4000)
    logits = random.normal(size=(4000, 7)) + 2.0 * np.eye(7)[truth]
    logits[:, EMOTIONS.index(Emotion.NEUTRAL)] -= 1.0
    return (3 * logits).astype(np.float32), truth


def test_calibration_brings_neutral_back_and_makes_honest_probabilities() -> None:
    logits, truth = over_confident_logits()
    calibration = calibrate(logits, truth)
    probabilities = calibration.probabilities(logits)
    raw = Calibration(1.0, (0.0,) * 7).probabilities(logits)
    assert np.argmax(calibration.biases) == EMOTIONS.index(Emotion.NEUTRAL)
    assert calibration.temperature == pytest.approx(1.5, abs=0.1)
    assert calibration_error(probabilities, truth) < 0.03 < calibration_error(raw, truth)
    recall = score(truth, probabilities.argmax(1)).recall[Emotion.NEUTRAL]
    assert recall >= NEUTRAL_RECALL > score(truth, raw.argmax(1)).recall[Emotion.NEUTRAL]


def test_evaluate_prints_its_tables(tmp_path: Path) -> None:
    (tmp_path / "rows.tsv").write_text("I am so happy!\t3\ta1\nHow sad, he died.\t5\ta2\n")
    segments = '{"start": 0, "end": 8, "text": "I am so happy today!", "emotion": "joy"}'
    (tmp_path / "dialogues.jsonl").write_text(f'{{"segments": [{segments}]}}\n')
    arguments = ["--texts", str(tmp_path / "rows.tsv"), "--dialogues", str(tmp_path / "dialogues.jsonl")]
    result = CliRunner().invoke(
        app, ["evaluate", *arguments, "--switching-cost", "1", "--switching-cost", "2"]
    )
    assert result.exit_code == 0, result.output
    for word in ("macro-F1", "unsmoothed", "rule", "viterbi, cost 1", "viterbi, cost 2", "no punctuation"):
        assert word in result.output
