"""Noise that belongs to a place in the piece, whichever canvas asks for it.

It is drawn on the CPU, one block of a clip's width at a time, each from a generator of its
own, so it is the same on every device, in every batch, and where canvases overlap.
"""

import math

import numpy as np
import torch
from torch import Tensor

ALIKE = 0.9995
"""Cosine above which two blocks are mixed along the straight line: the arc has no direction."""


def generator_of(random_seed: int, block: int) -> torch.Generator:
    """Draws the noise of the piece's block number `block`, >= 0."""
    state = np.random.SeedSequence((random_seed, block)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def block_of(random_seed: int, block: int, channels: int, side: int) -> Tensor:
    """Standard normal noise, (channels, side, side) float32."""
    return torch.randn(channels, side, side, generator=generator_of(random_seed, block))


def stretch(random_seed: int, start: int, width: int, channels: int, side: int) -> Tensor:
    """The noise of the piece's columns [start, start + width) of latents, (channels, side, width)."""
    first, last = start // side, (start + width - 1) // side
    blocks = [block_of(random_seed, block, channels, side) for block in range(first, last + 1)]
    return torch.cat(blocks, 2)[:, :, start - first * side :][:, :, :width]


def between(random_seed: int, place: float, channels: int, side: int) -> Tensor:
    """The noise at `place` along the blocks; 2.25 is a quarter of the arc from the third to the fourth.

    Spherical interpolation (Shoemake 1985), which keeps the noise's variance.
    """
    block = math.floor(place)
    share = place - block
    left, right = (block_of(random_seed, block + step, channels, side) for step in (0, 1))
    cosine = float((left * right).sum() / (left.norm() * right.norm()))
    if abs(cosine) > ALIKE:
        return torch.lerp(left, right, share)
    angle = math.acos(cosine)
    return (math.sin((1 - share) * angle) * left + math.sin(share * angle) * right) / math.sin(angle)
