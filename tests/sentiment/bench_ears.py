"""Measures how well phrases are classified, in languages with and without training data, and the voice."""

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from etbgm_kit.types import Emotion
from etbgm_sentiment.evaluation import classified, score_rows, score_timelines
from etbgm_sentiment.goemotions import read_rows, single_label
from etbgm_sentiment.meld import read_dialogues
from etbgm_sentiment.onnx_classifier import OnnxClassifier
from etbgm_sentiment.smoothing import MIN_EMOTION_DURATION_S, viterbi
from tests.ears import Figure
from tests.sentiment import bench_voice

ROWS = {
    "English": ("goemotions", 0.66),
    "Korean": ("goemotions_ko", 0.57),
    "Russian": ("goemotions_ru", 0.53),
}
"""Folder and macro-F1 aimed at; there is no training data in Russian."""

NEUTRAL_RECALL = 0.65
PHRASES_PER_S = 250
MELD_MACRO_F1 = 0.211
"""Of the timelines with the English classifier before this one."""


def figures(data: Path) -> Iterator[Figure]:
    """Yields scores on GoEmotions' dev rows and on MELD's dev timelines, and the classifier's speed."""
    classifier = OnnxClassifier(threads=2)
    texts, begun_s = 0, time.monotonic()
    for language, (folder, aim) in ROWS.items():
        rows = single_label(read_rows(data / "text" / folder / "ekman_dev.tsv"))
        scores = score_rows(classifier, [row.text for row in rows], rows)
        texts += len(rows)
        yield Figure(f"{language}: macro-F1", scores.macro_f1, ("≥", aim))
        yield Figure(f"{language}: accuracy", scores.accuracy)
        neutral = ("≥", NEUTRAL_RECALL) if language == "English" else None
        yield Figure(f"{language}: recall of neutral", scores.recall[Emotion.NEUTRAL], neutral)
    yield Figure("phrases per second, 2 threads", texts / (time.monotonic() - begun_s), ("≥", PHRASES_PER_S))
    dialogues = read_dialogues(data / "tv_text/meld/dev_timelines.jsonl")
    smooth = partial(viterbi, min_duration_s=MIN_EMOTION_DURATION_S)
    timelines = score_timelines(dialogues, classified(classifier, dialogues), smooth)
    yield Figure("MELD timelines: macro-F1 over time", timelines.macro_f1, ("≥", MELD_MACRO_F1))
    yield Figure("MELD timelines: accuracy over time", timelines.accuracy)
    yield from bench_voice.figures(data)
