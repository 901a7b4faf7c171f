"""Noise that belongs to a place in the piece, regardless of the canvas.

It is drawn on the CPU in blocks of a clip's width, each from its own generator, so it is the same on
every device, in every batch, and where canvases overlap.
"""

import math

import numpy as np
import torch
from torch import Tensor

ALIKE = 0.9995
"""Cosine above which two blocks are mixed linearly, because the arc has no direction."""


def generator_of(random_seed: int, block: int) -> torch.Generator:
    """Returns the generator for the noise of the piece's block number `block`, >= 0."""
    state = np.random.SeedSequence((random_seed, block)).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(state[0]))


def block_of(random_seed: int, block: int, channels: int, side: int) -> Tensor:
    """Returns standard normal noise, (channels, side, side) float32."""
    return torch.randn(channels, side, side, generator=generator_of(random_seed, block))


def stretch(random_seed: int, start: int, width: int, channels: int, side: int) -> Tensor:
    """Returns the noise of the piece's latent columns [start, start + width), (channels, side, width)."""
    first, last = start // side, (start + width - 1) // side
    blocks = [block_of(random_seed, block, channels, side) for block in range(first, last + 1)]
    return torch.cat(blocks, 2)[:, :, start - first * side :][:, :, :width]


def between(random_seed: int, place: float, channels: int, side: int) -> Tensor:
    """Returns the noise at `place` along the blocks; 2.25 is a quarter of the arc from block 2 to block 3.

    Spherical interpolation (Shoemake 1985), which preserves the noise's variance.
    """
    block = math.floor(place)
    share = place - block
    left, right = (block_of(random_seed, block + step, channels, side) for step in (0, 1))
    cosine = float((left * right).sum() / (left.norm() * right.norm()))
    if abs(cosine) > ALIKE:
        return torch.lerp(left, right, share)
    angle = math.acos(cosine)
    return (math.sin((1 - share) * angle) * left + math.sin(share * angle) * right) / math.sin(angle)
