"""Calibration on held-out rows: a bias for each emotion and a temperature after the logits."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from etbgm_kit.types import Emotion
from etbgm_sentiment.metrics import score

NEUTRAL_RECALL = 0.68
"""Neutral talk must stay neutral: what the held-out rows must reach, so that others reach 0.65."""

BIAS_COST = 0.004
"""Macro-F1 that a bias of 1 must win: the held-out rows have few of the rare emotions."""

_NEUTRAL = tuple(Emotion).index(Emotion.NEUTRAL)
_NEUTRAL_STEP = 0.01
_ROUNDS = 3
_BIASES = np.linspace(-4, 4, 161)
_TEMPERATURES = np.geomspace(0.3, 3, 151)

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Calibration:
    """probabilities = softmax((logits + biases) / temperature)."""

    temperature: float
    biases: tuple[float, ...]

    def probabilities(self, logits: npt.NDArray[np.float32]) -> Floats:
        """Probabilities (n, 7) of logits (n, 7)."""
        shifted = logits + np.array(self.biases)
        shifted = np.exp((shifted - shifted.max(1, keepdims=True)) / self.temperature)
        probabilities: Floats = shifted / shifted.sum(1, keepdims=True)
        return probabilities


def calibrate(logits: npt.NDArray[np.float32], truth: Numbers) -> Calibration:
    """The biases with the best macro-F1 that keep neutral talk neutral, then the likeliest temperature.

    Class weights in training favour rare emotions, so neutral talk is heard as
    emotional; the biases take that back, the temperature makes the numbers
    probabilities (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
    """
    best = _neutral_enough(logits, truth, _best_biases(logits, truth))
    biases = tuple(round(bias, 3) for bias in best.tolist())
    calibrations = [Calibration(float(temperature), biases) for temperature in _TEMPERATURES]
    return min(calibrations, key=lambda one: _negative_log_likelihood(one.probabilities(logits), truth))


def calibration_error(probabilities: Floats, truth: Numbers, bins: int = 15) -> float:
    """Expected calibration error of the likeliest emotion, [0, 1] (Guo et al. 2017)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(float((confidence - right)[which == i].sum())) for i in range(bins)]
    return sum(gaps) / len(truth)


def _best_biases(logits: npt.NDArray[np.float32], truth: Numbers) -> Floats:
    """Coordinate ascent: one bias after the other, neutral first, a few times over."""
    biases = np.zeros(len(Emotion))
    for emotion in [_NEUTRAL, *range(len(Emotion))] * _ROUNDS:
        trials = np.tile(biases, (len(_BIASES), 1))
        trials[:, emotion] = _BIASES
        biases = max(trials, key=lambda trial: _worth(logits, truth, trial))
    return biases


def _worth(logits: npt.NDArray[np.float32], truth: Numbers, biases: Floats) -> float:
    return score(truth, (logits + biases).argmax(1)).macro_f1 - BIAS_COST * float(biases @ biases)


def _neutral_enough(logits: npt.NDArray[np.float32], truth: Numbers, biases: Floats) -> Floats:
    """Raises the bias of neutral by the least that gives NEUTRAL_RECALL; macro-F1 hardly changes."""
    raised = biases.copy()
    is_neutral = truth == _NEUTRAL
    while ((logits[is_neutral] + raised).argmax(1) == _NEUTRAL).sum() < NEUTRAL_RECALL * is_neutral.sum():
        raised[_NEUTRAL] += _NEUTRAL_STEP
    return raised


def _negative_log_likelihood(probabilities: Floats, truth: Numbers) -> float:
    return float(-np.log(probabilities[np.arange(len(truth)), truth]).mean())
