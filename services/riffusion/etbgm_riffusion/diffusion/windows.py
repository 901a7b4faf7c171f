"""Cuts a canvas into windows of one clip's width: their positions, their texts, how they merge.

Joint denoising (MultiDiffusion, Bar-Tal et al. 2023): windows overlap, and at every step the prediction
for a column is the mean over the windows that contain it, with weights that fade out towards a window's
edges. All positions here are in latents.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from etbgm_riffusion.diffusion.types import CLIP, Canvas, Continuity, PromptSpan

OVERLAP = CLIP // 4
"""Minimum columns that neighbouring windows share, 1.28 s: a third more work than without overlap."""


@dataclass(frozen=True, slots=True)
class Share:
    """A prompt, its negative prompt, and their share of a window's text, in (0, 1]."""

    prompt: str
    negative_prompt: str
    share: float


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch [start, start + a clip) of a canvas, and its texts, whose shares add up to 1."""

    start: int
    texts: tuple[Share, ...]


def windows_of(canvas: Canvas, scale: int) -> tuple[Window, ...]:
    """Returns the windows of `canvas`, from left to right; a latent is `scale` columns wide."""
    side = CLIP // scale
    width = max(side, math.ceil(canvas.width / scale))
    if canvas.continuity is Continuity.INTERPOLATE:
        starts = range(0, width, side)
        return tuple(map(Window, starts, _going_over(canvas, len(starts))))
    steps = math.ceil((width - side) / (side - OVERLAP // scale))
    starts_of_joint = [round(index * (width - side) / max(1, steps)) for index in range(steps + 1)]
    return tuple(
        Window(start, _texts(canvas.prompts, start * scale, start * scale + CLIP))
        for start in starts_of_joint
    )


def width_of(windows: Sequence[Window], side: int) -> int:
    """Returns the width in latents of the canvas that `windows` cover."""
    return windows[-1].start + side


def weights_of(windows: Sequence[Window], side: int) -> Tensor:
    """Returns the windows' weights, (windows, side) float32 > 0, which add up to 1 at each column."""
    weights = torch.ones(len(windows), side, dtype=torch.float64)
    for left, right in pairwise(range(len(windows))):
        overlap = windows[left].start + side - windows[right].start
        places = (torch.arange(overlap, dtype=torch.float64) + 0.5) / max(1, overlap)
        fade = torch.sin(places * torch.pi / 2) ** 2
        weights[right, :overlap] *= fade
        weights[left, side - overlap :] *= fade.flip(0)
    return (weights / _total(windows, weights)).float()


def merge(windows: Sequence[Window], tiles: Sequence[Tensor], weights: Tensor, scale: int = 1) -> Tensor:
    """Merges the windows' `tiles` (channels, rows, side * scale) into an image (channels, rows, width).

    `weights` come from `weights_of`; the weight of a latent applies to `scale` columns.
    """
    side = weights.shape[1]
    channels, rows, _ = tiles[0].shape
    merged = tiles[0].new_zeros(channels, rows, width_of(windows, side) * scale)
    for window, tile, row in zip(windows, tiles, weights.to(tiles[0]), strict=True):
        start = window.start * scale
        merged[:, :, start : start + side * scale] += tile * row.repeat_interleave(scale)
    return merged


def _total(windows: Sequence[Window], weights: Tensor) -> Tensor:
    """Returns the sum of all windows' weights at each column, cut into windows."""
    side = weights.shape[1]
    total = weights.new_zeros(width_of(windows, side))
    for window, row in zip(windows, weights, strict=True):
        total[window.start : window.start + side] += row
    return torch.stack([total[window.start : window.start + side] for window in windows])


def _texts(prompts: Sequence[PromptSpan], start: int, end: int) -> tuple[Share, ...]:
    """Returns the prompts of the columns [start, end), with shares by number of columns."""
    columns = [min(end, span.end) - max(start, span.start) for span in prompts]
    covered = sum(max(0, count) for count in columns)
    return tuple(
        Share(span.prompt, span.negative_prompt, count / covered)
        for span, count in zip(prompts, columns, strict=True)
        if count > 0
    )


def _going_over(canvas: Canvas, clips: int) -> Iterator[tuple[Share, ...]]:
    """Yields the texts of side-by-side clips: a new prompt replaces the last one by `alpha` per clip."""
    before = now = canvas.prompts[0]
    share = 1.0
    for clip in range(clips):
        middle = min(clip * CLIP + CLIP // 2, canvas.width - 1)
        here = next(span for span in canvas.prompts if span.end > middle)
        if here is not now:
            before, now, share = now, here, 0.0
        share = min(1.0, share + canvas.alpha)
        texts = ((before, 1 - share), (now, share))
        yield tuple(Share(span.prompt, span.negative_prompt, part) for span, part in texts if part)
