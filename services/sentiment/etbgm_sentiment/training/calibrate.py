"""Calibration on held-out rows: two numbers between the logits and the probabilities."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etbgm_kit.types import Emotion
from etbgm_sentiment.metrics import score

NEUTRAL_RECALL = 0.68
"""Neutral talk must stay neutral: what the held-out rows must reach, so that others reach 0.65."""

_NEUTRAL = tuple(Emotion).index(Emotion.NEUTRAL)


@dataclass(frozen=True)
class Calibration:
    """probabilities = softmax((logits + neutral_bias on neutral) / temperature)."""

    temperature: float
    neutral_bias: float

    def probabilities(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Probabilities (n, 7) of logits (n, 7)."""
        shifted = logits.astype(np.float64)
        shifted[:, _NEUTRAL] += self.neutral_bias
        shifted = np.exp((shifted - shifted.max(1, keepdims=True)) / self.temperature)
        probabilities: npt.NDArray[np.float64] = shifted / shifted.sum(1, keepdims=True)
        return probabilities


def calibrate(logits: npt.NDArray[np.float32], truth: npt.NDArray[np.intp]) -> Calibration:
    """The bias with the best macro-F1 among those that reach NEUTRAL_RECALL, then the likeliest temperature.

    Class weights in training favour rare emotions, so neutral talk is heard as
    emotional; the bias takes that back, the temperature makes the numbers
    probabilities (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
    """
    biases = np.linspace(-2, 6, 401)
    scores = [score(truth, Calibration(1.0, bias).probabilities(logits).argmax(1)) for bias in biases]
    good = [
        (scored.macro_f1, bias)
        for scored, bias in zip(scores, biases, strict=True)
        if scored.recall[Emotion.NEUTRAL] >= NEUTRAL_RECALL
    ]
    bias = float(max(good)[1])
    calibrations = [Calibration(float(temperature), bias) for temperature in np.geomspace(0.3, 3, 151)]
    return min(calibrations, key=lambda one: _negative_log_likelihood(one.probabilities(logits), truth))


def calibration_error(
    probabilities: npt.NDArray[np.float64], truth: npt.NDArray[np.intp], bins: int = 15
) -> float:
    """Expected calibration error of the likeliest emotion, [0, 1] (Guo et al. 2017)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float((confidence - right)[which == i].sum())) for i in range(bins)]
    return sum(gaps) / len(truth)


def _negative_log_likelihood(probabilities: npt.NDArray[np.float64], truth: npt.NDArray[np.intp]) -> float:
    return float(-np.log(probabilities[np.arange(len(truth)), truth]).mean())
