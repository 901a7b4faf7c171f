"""What stands behind a classifier's logits in the graph, so that every graph gives seven probabilities."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from etbgm_kit.types import Emotion

_EMOTIONS = tuple(Emotion)


class SevenEmotions(nn.Module):
    """The graph: token numbers, int64 (batch, length), to probabilities, float32 (batch, 7)."""

    def __init__(self, logits: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.logits, self.head = logits, head

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The head computes with 32 bits, whatever the classifier computes with."""
        probabilities: Tensor = self.head(self.logits(input_ids, attention_mask).float())
        return probabilities


class OneLabel(nn.Module):
    """For classifiers whose labels exclude each other: softmax, summed for each emotion."""

    membership: Tensor

    def __init__(self, emotions: Sequence[Emotion]) -> None:
        super().__init__()
        self.register_buffer("membership", membership(emotions))

    def forward(self, logits: Tensor) -> Tensor:
        """Probabilities (batch, 7) of logits (batch, labels)."""
        return summed(logits.softmax(-1), self.membership)


class ManyLabels(nn.Module):
    """For classifiers that say of each label by itself whether it applies: sigmoids.

    An emotion's score is the probability that at least one of its labels applies, which
    is how GoEmotions' 28 labels become Ekman's for training too; the labels are
    taken as independent, as such a classifier was trained. A sum would exceed 1 where
    labels go together (joy, love, gratitude), and the largest alone would forget those
    that are nearly as sure. When no label means neutral, neutral has the probability
    that none applies. The seven are scaled to sum to 1, since a phrase gets one emotion.
    """

    membership: Tensor
    nobody: Tensor

    def __init__(self, emotions: Sequence[Emotion]) -> None:
        super().__init__()
        self.register_buffer("membership", membership(emotions))
        knows_neutral = Emotion.NEUTRAL in emotions
        nobody = [0.0 if knows_neutral or one is not Emotion.NEUTRAL else 1.0 for one in _EMOTIONS]
        self.register_buffer("nobody", torch.tensor(nobody))

    def forward(self, logits: Tensor) -> Tensor:
        """Probabilities (batch, 7) of logits (batch, labels)."""
        absent = -nn.functional.softplus(logits)
        scores = 1 - torch.exp(summed(absent, self.membership))
        scores = scores + self.nobody * torch.exp(absent.sum(-1, keepdim=True))
        return scores / scores.sum(-1, keepdim=True).clamp_min(1e-12)


class Calibrated(nn.Module):
    """For our own model, whose logits are the seven: softmax((logits + biases) / temperature)."""

    biases: Tensor

    def __init__(self, temperature: float, biases: Sequence[float]) -> None:
        super().__init__()
        self.temperature = temperature
        self.register_buffer("biases", torch.tensor(biases))

    def forward(self, logits: Tensor) -> Tensor:
        """Probabilities (batch, 7) of logits (batch, 7)."""
        return torch.softmax((logits + self.biases) / self.temperature, -1)


def membership(emotions: Sequence[Emotion]) -> Tensor:
    """(labels, 7): 1 where a label means an emotion, else 0."""
    numbers = torch.tensor([_EMOTIONS.index(emotion) for emotion in emotions])
    return nn.functional.one_hot(numbers, len(_EMOTIONS)).float()


def summed(values: Tensor, members: Tensor) -> Tensor:
    """(batch, 7) sums of values (batch, labels) over the labels of each emotion.

    Not written as a product of matrices: int8 would round those.
    """
    return (values.unsqueeze(-1) * members).sum(1)
