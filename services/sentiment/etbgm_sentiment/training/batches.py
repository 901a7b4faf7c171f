"""What the model is shown: varied texts in batches of similar length, and what it shall say."""

import random
from collections.abc import Iterator, Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor

from etbgm_kit.types import Emotion
from etbgm_sentiment.goemotions import Row
from etbgm_sentiment.spoken import spoken, with_names, without_punctuation
from etbgm_sentiment.tokens import pad, tokenise

_EMOTIONS = tuple(Emotion)

_POOL_BATCHES = 50
"""Batches are cut from this many batches' rows sorted by length: random, with little padding."""

Batch = tuple[Tensor, Tensor, Tensor]
"""Token numbers and mask, int64 (rows, length), and what is wanted, float32 (rows, 7)."""


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
    spoken_share: float,
    rng: random.Random,
) -> Iterator[Batch]:
    """One epoch: every row once, all languages mixed, `spoken_share` made to look like recognised speech.

    `wanted` has the rows of all languages, one language after the other.
    """
    texts = [text for rows in languages for text in _varied(rows, spoken_share, rng)]
    shuffled = rng.sample(range(len(texts)), len(texts))
    ids = tokenise(tokenizer, [texts[i] for i in shuffled])
    pool = batch_rows * _POOL_BATCHES
    order = sorted(range(len(texts)), key=lambda i: (i // pool, len(ids[i])))
    cuts = [order[start : start + batch_rows] for start in range(0, len(order), batch_rows)]
    for cut in rng.sample(cuts, len(cuts)):
        yield *tensors([ids[i] for i in cut]), wanted[[shuffled[i] for i in cut]]


def tensors(ids: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Padded token numbers and their mask, int64 (rows, longest)."""
    numbers, mask = pad(ids)
    return torch.from_numpy(numbers), torch.from_numpy(mask)


def _varied(rows: Sequence[Row], spoken_share: float, rng: random.Random) -> list[str]:
    vocabulary = [word for row in rows for word in without_punctuation(row.text).split()]

    def varied(text: str) -> str:
        if rng.random() < spoken_share:
            return spoken(text, vocabulary, rng)
        return with_names(text, rng) if rng.random() < 0.5 else text

    return [varied(row.text) for row in rows]
