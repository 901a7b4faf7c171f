"""What the model is shown: varied texts in batches of similar length, and what it shall say."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor

from etbgm_kit.types import Emotion
from etbgm_sentiment.goemotions import Row
from etbgm_sentiment.spoken import spoken, with_names, without_punctuation
from etbgm_sentiment.tokens import tokenise
from etbgm_sentiment.training.code_switching import Dictionary, switched
from etbgm_sentiment.training.tensors import tensors

_EMOTIONS = tuple(Emotion)

_POOL_BATCHES = 50
"""Batches are cut from this many batches' rows sorted by length: random, with little padding."""

Batch = tuple[Tensor, Tensor, Tensor]
"""Token numbers and mask, int64 (rows, length), and what is wanted, float32 (rows, 7)."""


@dataclass(frozen=True)
class Variation:
    """How rows are varied: these shares resemble recognised speech, and have words in other languages."""

    spoken_share: float
    switched_share: float = 0.0
    dictionaries: Mapping[str, Dictionary] | None = None

    def vary(self, rows: Sequence[Row], rng: random.Random) -> list[str]:
        """Returns a text for each row."""
        vocabulary = [word for row in rows for word in without_punctuation(row.text).split()]
        return [self._varied(row.text, vocabulary, rng) for row in rows]

    def _varied(self, text: str, vocabulary: Sequence[str], rng: random.Random) -> str:
        if self.dictionaries and rng.random() < self.switched_share:
            text = switched(text, self.dictionaries, rng)
        if rng.random() < self.spoken_share:
            return spoken(text, vocabulary, rng)
        return with_names(text, rng) if rng.random() < 0.5 else text


def targets(rows: Sequence[Row]) -> Tensor:
    """Each row's emotions with equal probability, (n, 7)."""
    matrix = torch.zeros(len(rows), len(_EMOTIONS))
    for i, row in enumerate(rows):
        for emotion in row.emotions:
            matrix[i, _EMOTIONS.index(emotion)] = 1 / len(row.emotions)
    return matrix


def class_weights(wanted: Tensor) -> Tensor:
    """Inverse square root of each emotion's share in (n, 7), 1 on average over the rows."""
    shares = wanted.mean(0).clamp_min(1e-3)
    weights = shares.rsqrt()
    return weights / (weights * shares).sum()


def batches(
    languages: Sequence[Sequence[Row]],
    wanted: Tensor,
    tokenizer: Tokenizer,
    batch_rows: int,
    variation: Variation,
    rng: random.Random,
) -> Iterator[Batch]:
    """One epoch: every row once, varied, all languages mixed.

    `wanted` has the rows of all languages, one language after the other.
    """
    texts = [text for rows in languages for text in variation.vary(rows, rng)]
    shuffled = rng.sample(range(len(texts)), len(texts))
    ids = tokenise(tokenizer, [texts[i] for i in shuffled])
    pool = batch_rows * _POOL_BATCHES
    order = sorted(range(len(texts)), key=lambda i: (i // pool, len(ids[i])))
    cuts = [order[start : start + batch_rows] for start in range(0, len(order), batch_rows)]
    for cut in rng.sample(cuts, len(cuts)):
        yield *tensors([ids[i] for i in cut]), wanted[[shuffled[i] for i in cut]]
