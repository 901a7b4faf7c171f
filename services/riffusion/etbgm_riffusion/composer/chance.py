"""Random numbers that are the same in every process."""

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")

_ROUND = 64
"""Random seeds over which `turn` keeps its order."""


def generator(random_seed: int, *labels: str | int) -> np.random.Generator:
    """Returns a separate generator for each combination of random seed and labels.

    numpy's SeedSequence makes the streams independent. Labels are hashed with CRC-32, because Python's
    `hash` differs from process to process.
    """
    words = [zlib.crc32(str(label).encode()) for label in labels]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([random_seed, *words])))


def pick(chance: np.random.Generator, items: Sequence[Item]) -> Item:
    """Returns one of `items`, all equally likely."""
    return items[int(chance.random() * len(items))]


def turn(random_seed: int, count: int, *labels: str | int) -> int:
    """Returns a number below `count` that takes turns from one random seed to the next.

    The variants of a job have neighbouring random seeds, so up to `count` of them choose differently. The
    order is shifted for every _ROUND random seeds, separately for each choice, so that choices do not go
    together.
    """
    shift = generator(random_seed // _ROUND, "turn", *labels).random() * count
    return (random_seed + int(shift)) % count
