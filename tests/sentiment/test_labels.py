"""The table of labels: GoEmotions', those of well-known models, and what it does not know."""

import pytest

from etbgm_kit.types import Emotion
from etbgm_sentiment.labels import UnknownLabels, emotions_of

EKMAN = {
    "anger": "anger annoyance disapproval",
    "disgust": "disgust",
    "fear": "fear nervousness",
    "joy": "admiration amusement approval caring desire excitement gratitude joy love optimism pride relief",
    "neutral": "neutral",
    "sadness": "disappointment embarrassment grief remorse sadness",
    "surprise": "confusion curiosity realization surprise",
}
"""GoEmotions' own mapping."""


def test_the_28_labels_of_goemotions_follow_its_authors() -> None:
    pairs = [(label, emotion) for emotion, labels in EKMAN.items() for label in labels.split()]
    assert len(pairs) == 28
    labels, emotions = zip(*pairs, strict=True)
    assert emotions_of(labels) == emotions


@pytest.mark.parametrize(
    ("labels", "emotions"),
    [
        (" ".join(Emotion), " ".join(Emotion)),
        ("sadness joy love anger fear surprise", "sadness joy joy anger fear surprise"),
        ("angry disgusted fearful happy sad surprised", "anger disgust fear joy sadness surprise"),
        ("happiness hate worry fun", "joy anger fear joy"),
        ("Happy SAD No-Emotion", "joy sadness neutral"),
    ],
)
def test_what_others_call_them(labels: str, emotions: str) -> None:
    assert emotions_of(labels.split()) == tuple(emotions.split())


def test_unknown_labels_are_all_named_unless_given() -> None:
    with pytest.raises(UnknownLabels, match="LABEL_0, boredom; say which with --map"):
        emotions_of(["LABEL_0", "joy", "boredom"])
    given = {"label_0": Emotion.FEAR, "Boredom": Emotion.NEUTRAL, "joy": Emotion.SURPRISE}
    assert emotions_of(["LABEL_0", "joy", "boredom"], given) == ("fear", "surprise", "neutral")
