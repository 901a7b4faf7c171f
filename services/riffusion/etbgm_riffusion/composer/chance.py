"""Random numbers that are the same in every process."""

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


def generator(random_seed: int, *labels: str | int) -> np.random.Generator:
    """A generator of its own for each random seed and labels.

    Independent streams by numpy's SeedSequence; labels enter by their CRC-32, since
    Python's `hash` differs from process to process.
    """
    words = [zlib.crc32(str(label).encode()) for label in labels]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([random_seed, *words])))


def pick(chance: np.random.Generator, items: Sequence[Item]) -> Item:
    """One of `items`, all equally likely."""
    return items[int(chance.random() * len(items))]
