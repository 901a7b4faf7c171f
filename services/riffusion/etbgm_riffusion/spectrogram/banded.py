"""Linear maps between bins and bands, whose matrices are nearly all zeros."""

import numpy as np
import torch
from numpy.typing import NDArray

_PARTS = 8
"""The cheapest number of parts on one core: few calls, and few multiplied zeros."""

Weights = NDArray[np.float32]
"""Shape (from, to)."""


class Banded:
    """A linear map with weights around a diagonal; multiplies only the parts that have non-zero weights."""

    def __init__(self, weights: Weights, device: torch.device) -> None:
        self._parts = []
        for columns in np.array_split(weights, _PARTS, axis=1):
            used = np.flatnonzero(columns.any(axis=1))
            rows = slice(int(used.min(initial=0)), int(used.max(initial=0)) + 1)
            part = torch.from_numpy(np.ascontiguousarray(columns[rows])).to(device)
            self._parts.append((rows, part))

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Maps (..., from) to (..., to)."""
        return torch.cat([values[..., rows] @ part for rows, part in self._parts], dim=-1)


def triangles(corners: NDArray[np.float64], bins: NDArray[np.float64]) -> Weights:
    """Returns the weight of each bin in each band, (bins, bands): triangles of height 1.

    Band b rises from corner b, peaks at corner b + 1 and ends at corner b + 2. The triangles are not
    divided by their width, like torchaudio's `melscale_fbanks` with `norm=None`.
    """
    apart = np.diff(corners)
    beyond = bins[:, None] - corners[None]
    rising, falling = beyond[:, :-2] / apart[:-1], -beyond[:, 2:] / apart[1:]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def interpolation(known: NDArray[np.float64], wanted: NDArray[np.float64]) -> Weights:
    """Returns weights that interpolate values at `known` linearly to `wanted`, constant beyond the ends.

    Both are in ascending order.
    """
    return np.stack([np.interp(wanted, known, row) for row in np.eye(len(known))]).astype(np.float32)
