"""The heads that follow a classifier's logits, so that every graph returns seven probabilities."""

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
        """Computes the head with 32 bits, regardless of the classifier's precision."""
        probabilities: Tensor = self.head(self.logits(input_ids, attention_mask).float())
        return probabilities


class OneLabel(nn.Module):
    """For classifiers with mutually exclusive labels: softmax, summed for each emotion."""

    membership: Tensor

    def __init__(self, emotions: Sequence[Emotion]) -> None:
        super().__init__()
        self.register_buffer("membership", membership(emotions))

    def forward(self, logits: Tensor) -> Tensor:
        """Returns probabilities (batch, 7) for logits (batch, labels)."""
        return summed(logits.softmax(-1), self.membership)


class ManyLabels(nn.Module):
    """For classifiers that decide on each label independently: sigmoids.

    An emotion's score is the probability that at least one of its labels applies; GoEmotions'
    28 labels are also combined to Ekman's in this way for training. The labels are treated as
    independent, as such a classifier was trained. A sum would exceed 1 where labels occur
    together (joy, love, gratitude), and the maximum would ignore labels that are almost as
    probable. If no label means neutral, neutral has the probability that no label applies.
    The seven scores are scaled to sum to 1, because a phrase gets one emotion.
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
        """Returns probabilities (batch, 7) for logits (batch, labels)."""
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
        """Returns probabilities (batch, 7) for logits (batch, 7)."""
        return torch.softmax((logits + self.biases) / self.temperature, -1)


def membership(emotions: Sequence[Emotion]) -> Tensor:
    """Returns (labels, 7): 1 where a label means an emotion, otherwise 0."""
    numbers = torch.tensor([_EMOTIONS.index(emotion) for emotion in emotions])
    return nn.functional.one_hot(numbers, len(_EMOTIONS)).float()


def summed(values: Tensor, members: Tensor) -> Tensor:
    """Sums values (batch, labels) over the labels of each emotion: (batch, 7).

    This is not a matrix product, because int8 would round that.
    """
    return (values.unsqueeze(-1) * members).sum(1)
