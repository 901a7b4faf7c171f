"""How labels become seven probabilities, worked out by hand."""

import pytest
import torch

from etbgm_kit.types import Emotion
from etbgm_sentiment.export.heads import ManyLabels, OneLabel

ANGER, DISGUST, FEAR, JOY, NEUTRAL, SADNESS, SURPRISE = Emotion


def logit(*probabilities: float) -> torch.Tensor:
    return torch.logit(torch.tensor([probabilities]))


def test_labels_that_exclude_each_other_are_summed() -> None:
    probabilities = torch.tensor([[0.2, 0.3, 0.1, 0.4]])
    found = OneLabel((JOY, JOY, FEAR, NEUTRAL))(probabilities.log())
    assert found[0].tolist() == pytest.approx([0, 0, 0.1, 0.5, 0.4, 0, 0])


def test_of_labels_that_go_together_one_is_enough() -> None:
    found = ManyLabels((JOY, JOY, FEAR, NEUTRAL))(logit(0.8, 0.5, 0.2, 0.1))
    joy = 1 - 0.2 * 0.5
    total = joy + 0.2 + 0.1
    assert found[0].tolist() == pytest.approx([0, 0, 0.2 / total, joy / total, 0.1 / total, 0, 0], abs=1e-6)


def test_without_a_neutral_label_neutral_is_that_none_applies() -> None:
    found = ManyLabels((JOY, SADNESS))(logit(0.4, 0.25))
    none = 0.6 * 0.75
    total = none + 0.4 + 0.25
    wanted = [0, 0, 0, 0.4 / total, none / total, 0.25 / total, 0]
    assert found[0].tolist() == pytest.approx(wanted, abs=1e-6)


def test_when_surely_no_label_applies_it_is_neutral() -> None:
    found = ManyLabels((JOY, SADNESS))(torch.full((1, 2), -30.0))
    assert found[0].tolist() == pytest.approx([0, 0, 0, 0, 1, 0, 0], abs=1e-6)
