"""Turns a stretch of the composer's sound into the model's version of it."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Span
from etbgm_riffusion.composer.engine import Composed, ComposerEngine
from etbgm_riffusion.composer.hints import STYLES, read
from etbgm_riffusion.diffusion.grid import COLUMNS_PER_S, Place
from etbgm_riffusion.diffusion.prompts import Prompts
from etbgm_riffusion.diffusion.types import Canvas, OnSteps, Pixels, Progress
from etbgm_riffusion.engine import OnProgress
from etbgm_riffusion.spectrogram import image
from etbgm_riffusion.spectrogram.codec import Codec
from etbgm_riffusion.types import DiffusionSettings, Piece, Stereo

PEAK = 1000.0
"""The magnitude that is black in every canvas of every piece, so that their levels agree.

Measured on 8 styles in anger, joy, surprise and sadness at full intensity: the loudest bands reach 200 to
1560, and one in 10,000 reaches 170 to 830, so only single strokes of bells are clipped.
"""

_SEEDED, _DENOISED = 0.05, 0.9
"""Fractions of the work done after the seed spectrogram, and after the new spectrogram."""


class Denoiser(Protocol):
    """Paints over canvases: the batcher."""

    def denoise(self, canvas: Canvas, on_progress: OnSteps) -> Pixels:
        """Returns the canvas after denoising; blocks. Raises whatever `on_progress` raises."""


class Painter:
    """Produces the sound of canvases: seed spectrogram, new spectrogram, new sound."""

    def __init__(self, composer: ComposerEngine, prompts: Prompts, denoiser: Denoiser, codec: Codec) -> None:
        """`codec` must use Riffusion's parameters in stereo."""
        self._composer, self._prompts, self._denoiser, self._codec = composer, prompts, denoiser, codec

    def sound(
        self, piece: Piece, place: Place, settings: DiffusionSettings, on_progress: OnProgress
    ) -> Stereo:
        """Returns the new sound of a place over its full width, at the codec's 44,100 Hz."""
        composed = self._composer.compose(piece)
        seed = self._seed(composed, place, lambda share: on_progress(share * _SEEDED))
        pixels = pixels_of_levels(image.to_pixels(self._codec.encode(seed)[..., : place.width], PEAK))
        canvas = self._canvas(piece, composed, place, settings, pixels)

        def report_progress(progress: Progress) -> None:
            on_progress(_SEEDED + progress.share * (_DENOISED - _SEEDED))

        painted = self._denoiser.denoise(canvas, report_progress)
        on_progress(_DENOISED)
        mel = image.from_pixels((painted.transpose(1, 2, 0) + 1) * 127.5, True, PEAK)
        sound = self._codec.decode(mel, seed, len(seed))
        on_progress(1.0)
        return sound

    def _seed(self, composed: Composed, place: Place, on_progress: OnProgress) -> Stereo:
        """Returns the composer's sound of a place, with silence after the piece's end."""
        params = self._codec.params
        span = Span(place.start / COLUMNS_PER_S, min(place.end / COLUMNS_PER_S, composed.score.duration_s))
        sound = np.zeros((place.width * params.hop, 2), np.float32)
        filled = 0
        for parts in self._composer.sound(composed, span, params.sample_rate_hz, on_progress):
            sound[filled : filled + parts.shape[1]] = parts[0]
            filled += parts.shape[1]
        return sound

    def _canvas(
        self, piece: Piece, composed: Composed, place: Place, settings: DiffusionSettings, pixels: Pixels
    ) -> Canvas:
        emotions = [(section.span, section.emotion) for section in composed.score.sections]
        wish = read(piece.style, STYLES)
        return Canvas(
            pixels=pixels,
            prompts=self._prompts.spans(emotions, composed.score.style, wish, place.start, place.width),
            denoising_strength=settings.denoising_strength,
            guidance_scale=settings.guidance_scale,
            steps=settings.steps,
            random_seed=piece.random_seed,
            position=place.start,
            adapters=settings.adapters,
            continuity=settings.continuity,
            alpha=settings.alpha,
        )


def pixels_of_levels(levels: NDArray[np.uint8]) -> Pixels:
    """Returns (512, width, 3) in [0, 255] as (3, 512, width) in [-1, 1]."""
    return np.ascontiguousarray(levels.transpose(2, 0, 1), dtype=np.float32) / 127.5 - 1
