"""The committed classifier: sense and stability."""

import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from etbgm_kit.models.folders import BrokenModel
from etbgm_kit.types import Emotion, Span
from etbgm_sentiment.onnx_classifier import MODEL_FOLDER, OnnxClassifier
from etbgm_sentiment.smoothing import smooth
from etbgm_sentiment.spoken import without_punctuation
from etbgm_sentiment.types import Smoothing

EMOTIONS = tuple(Emotion)

STORY = {
    Emotion.NEUTRAL: (
        "On Monday I took the train to the office in the city.",
        "We read the report and wrote down the numbers.",
        "The shop on the corner opens at nine.",
        "First, connect the cable to the back of the router.",
        "There are two rooms on the second floor.",
    ),
    Emotion.JOY: (
        "I am so happy, this is the best day of my life!",
        "We laughed and danced, it was wonderful.",
        "I love this, thank you so much!",
        "Congratulations, you did great, I am proud of you.",
        "Everybody was smiling, what a lovely party.",
    ),
    Emotion.FEAR: (
        "At night I heard a noise, and I was so scared.",
        "I am terrified of the dark.",
        "I was afraid that someone was in the house.",
        "My hands were shaking with fear.",
        "It was the most frightening night.",
    ),
    Emotion.SADNESS: (
        "My grandmother died, and I cried all night.",
        "I miss her so much, it hurts.",
        "I feel so lonely and sad without him.",
        "I was heartbroken when she left.",
        "It is so sad that we lost him.",
    ),
    Emotion.ANGER: (
        "I hate this, shut up and get out!",
        "I am so angry at him.",
        "How dare you lie to me, you idiot!",
        "This makes me furious.",
        "Stop it, I am sick of your stupid excuses!",
    ),
}
LINES = [(emotion, line) for emotion, lines in STORY.items() for line in lines]


@pytest.fixture(scope="module")
def classifier() -> OnnxClassifier:
    return OnnxClassifier()


@pytest.mark.parametrize("change", [str, without_punctuation])
def test_clear_sentences_are_understood(classifier: OnnxClassifier, change: type[str]) -> None:
    found = classifier.classify([change(line) for _, line in LINES]).argmax(1)
    right = [EMOTIONS[index] is emotion for index, (emotion, _) in zip(found, LINES, strict=True)]
    assert sum(right) >= len(LINES) - 1


@pytest.mark.parametrize("method", Smoothing)
def test_a_spoken_story_has_one_span_for_each_emotion(classifier: OnnxClassifier, method: Smoothing) -> None:
    spans = [Span(4.0 * i + 1, 4.0 * i + 4) for i in range(len(LINES))]
    probabilities = classifier.classify([without_punctuation(line) for _, line in LINES])
    timeline = smooth(spans, probabilities, 4.0 * len(LINES) + 2, method)
    assert [span.emotion for span in timeline.spans] == list(STORY)
    assert [span.span.start_s for span in timeline.spans] == [0, 21, 41, 61, 81]


def test_probabilities_are_float32_rows_that_sum_to_one(classifier: OnnxClassifier) -> None:
    probabilities = classifier.classify(["hello there", "", "word " * 500, "日本語 🙂"])
    assert probabilities.shape == (4, 7)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert classifier.classify([]).shape == (0, 7)


def test_a_texts_result_does_not_depend_on_its_neighbours(classifier: OnnxClassifier) -> None:
    texts = [line for _, line in LINES]
    alone = np.concatenate([classifier.classify([text]) for text in texts])
    np.testing.assert_allclose(classifier.classify([*texts, *texts])[: len(texts)], alone, atol=1e-5)


def test_calls_in_flight_share_batches_and_get_what_each_gets_alone(classifier: OnnxClassifier) -> None:
    calls = [[line for _, line in LINES[start::8]] for start in range(8)]
    alone = [classifier.classify(texts) for texts in calls]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(classifier.classify, calls))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


def missing(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def empty(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"")


def cut_off(folder: Path) -> None:
    graph = folder / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:100_000])


def without_pad(folder: Path) -> None:
    facts = json.loads((folder / "model.json").read_text())
    del facts["pad_id"]
    (folder / "model.json").write_text(json.dumps(facts))


def half_json(folder: Path) -> None:
    facts = folder / "model.json"
    facts.write_text(facts.read_text()[:40])


def strange_tokens(folder: Path) -> None:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.add_special_tokens(["longer text"])
    tokenizer.save(str(folder / "tokenizer.json"))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (missing, "missing or empty: tokenizer.json"),
        (empty, "missing or empty: model.onnx"),
        (cut_off, ""),
        (without_pad, "model.json: pad_id: Field required"),
        (half_json, "model.json: Invalid JSON"),
        (strange_tokens, "tokenizer.json has"),
    ],
)
def test_a_broken_folder_is_said_in_a_line(tmp_path: Path, harm: Callable[[Path], None], why: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(MODEL_FOLDER, folder)
    harm(folder)
    with pytest.raises(BrokenModel) as caught:
        OnnxClassifier(folder)
    (line,) = str(caught.value).splitlines()
    assert str(folder) in line
    assert why in line


def test_the_model_is_small_and_says_what_it_is(classifier: OnnxClassifier) -> None:
    assert sum(path.stat().st_size for path in MODEL_FOLDER.iterdir()) < 45e6
    assert (classifier.info.name, classifier.info.ingredients[0].licence) == ("e5", "Apache-2.0")
    assert len(classifier.info.revision) == 12
