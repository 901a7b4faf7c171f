"""Scores of predicted emotions against true ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etbgm_kit.types import Emotion


@dataclass(frozen=True)
class Scores:
    """Accuracy and macro-F1, and precision, recall and F1 per emotion, all in [0, 1]."""

    accuracy: float
    macro_f1: float
    precision: dict[Emotion, float]
    recall: dict[Emotion, float]
    f1: dict[Emotion, float]


def score(
    truth: npt.NDArray[np.intp],
    predicted: npt.NDArray[np.intp],
    weights: npt.NDArray[np.float64] | None = None,
) -> Scores:
    """Scores emotion numbers (n,) in the order of Emotion; each row counts by its weight (default 1).

    An emotion that is neither true nor predicted anywhere has precision, recall and F1 of 0.
    """
    emotions = tuple(Emotion)
    confusion = np.zeros((len(emotions), len(emotions)))
    np.add.at(confusion, (truth, predicted), 1.0 if weights is None else weights)
    hits = np.diag(confusion)
    precision = hits / np.maximum(confusion.sum(0), 1e-12)
    recall = hits / np.maximum(confusion.sum(1), 1e-12)
    f1 = 2 * hits / np.maximum(confusion.sum(0) + confusion.sum(1), 1e-12)
    return Scores(
        accuracy=float(hits.sum() / confusion.sum()),
        macro_f1=float(f1.mean()),
        precision=_by_emotion(precision),
        recall=_by_emotion(recall),
        f1=_by_emotion(f1),
    )


def _by_emotion(values: npt.NDArray[np.float64]) -> dict[Emotion, float]:
    return {emotion: float(value) for emotion, value in zip(Emotion, values, strict=True)}
