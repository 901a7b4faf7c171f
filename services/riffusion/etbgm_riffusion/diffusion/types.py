"""The denoiser's inputs, as plain values.

A canvas is a spectrogram image of any width: 512 rows of mel bands, columns of 10 ms, three channels
(riffusion's channel layout), with the values 0 … 255 scaled to [-1, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROWS = 512
"""Height of every image: the number of mel bands that the model was trained on."""

CLIP = 512
"""Columns that the model denoises at once, 5.12 s."""

Pixels = NDArray[np.float32]
"""An image, (3, 512, width) float32 in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class PromptSpan:
    """What the columns [start, end) of a canvas should sound like, and what they should not sound like."""

    start: int
    end: int
    prompt: str
    negative_prompt: str = ""


class Continuity(StrEnum):
    """How neighbouring clips of a canvas are joined.

    JOINT: clips overlap and are denoised together, so that there is no seam (MultiDiffusion, Bar-Tal et
    al. 2023). INTERPOLATE: clips lie side by side and are denoised separately; noise and prompt change
    from one to the next in small steps (riffusion's own method).
    """

    JOINT = "joint"
    INTERPOLATE = "interpolate"


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """One input of the denoiser.

    `pixels` is the seed spectrogram. `prompts` are in order and cover [0, width). `denoising_strength` is
    in [0, 1]: 0 keeps the seed spectrogram, 1 ignores it; the last `steps * denoising_strength` of
    `steps` (>= 1) are computed. `guidance_scale` <= 1 turns guidance off.

    Noise belongs to a place in the piece: `position` is the canvas's first column in the piece, a
    multiple of 8; canvases with equal `random_seed` (>= 0) have equal noise where they overlap.
    `adapters` are loaded LoRAs with their weights; a weight of 0 disables one. With INTERPOLATE, noise
    and prompts advance by `alpha`, in (0, 1], from clip to clip.
    """

    pixels: Pixels
    prompts: tuple[PromptSpan, ...]
    denoising_strength: float
    guidance_scale: float
    steps: int
    random_seed: int
    position: int = 0
    adapters: tuple[tuple[str, float], ...] = ()
    continuity: Continuity = Continuity.JOINT
    alpha: float = 0.25

    def __post_init__(self) -> None:
        """Raises ValueError for invalid values; requests are validated earlier."""
        if self.pixels.shape[:2] != (3, ROWS) or not self.width or not np.isfinite(self.pixels).all():
            raise ValueError(f"pixels must be (3, {ROWS}, width >= 1) and finite, not {self.pixels.shape}")
        starts = [*(span.start for span in self.prompts), self.width]
        ends = [0, *(span.end for span in self.prompts)]
        if starts != ends or any(span.start >= span.end for span in self.prompts):
            raise ValueError("prompts must be in order and cover the canvas")
        if not 0 <= self.denoising_strength <= 1 or self.steps < 1 or not 0 < self.alpha <= 1:
            raise ValueError("denoising_strength must be in [0, 1], steps >= 1, alpha in (0, 1]")
        if self.random_seed < 0 or self.position < 0 or self.position % 8:
            raise ValueError("random_seed must be >= 0, position a multiple of 8 >= 0")

    @property
    def width(self) -> int:
        """Columns, >= 1."""
        return int(self.pixels.shape[2])


class Progress(NamedTuple):
    """A canvas's progress: the fraction of its work, the steps done and needed, and its clips."""

    share: float
    step: int
    steps: int
    clips: int


OnSteps = Callable[[Progress], None]
"""Called regularly by the thread that waits for a canvas; may raise to stop the work."""
