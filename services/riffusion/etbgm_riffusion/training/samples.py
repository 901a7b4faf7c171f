"""Sounds of the adapter in training: the composer's music of each emotion, repainted as in production."""

from collections.abc import Iterator
from pathlib import Path

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.diffusion.batcher import Batcher
from etbgm_riffusion.diffusion.cues import PARAMS
from etbgm_riffusion.diffusion.grid import Place
from etbgm_riffusion.diffusion.painter import Painter
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.prompts import Prompts
from etbgm_riffusion.diffusion.types import CLIP
from etbgm_riffusion.flac import writing
from etbgm_riffusion.spectrogram.codec import Codec
from etbgm_riffusion.types import AUTO, DiffusionSettings, Piece, Stereo

LENGTH_S = CLIP / 100


class Sampler:
    """Paints one clip of each emotion with whatever weights the pipeline's UNet has."""

    def __init__(self, pipeline: Pipeline, composer: ComposerEngine, prompts: Prompts) -> None:
        """`composer` must be loaded."""
        self._pipeline, self._composer, self._prompts = pipeline, composer, prompts
        self._codec = Codec(PARAMS, str(pipeline.device))

    def sounds(
        self, emotions: tuple[Emotion, ...], random_seed: int, settings: DiffusionSettings
    ) -> Iterator[tuple[Emotion, Stereo]]:
        """Yields a sound (samples, 2) of 5.12 s at 44,100 Hz for each emotion; the same for equal weights."""
        batcher = Batcher(self._pipeline)
        painter = Painter(self._composer, self._prompts, batcher, self._codec)
        try:
            for emotion in emotions:
                piece = piece_of(emotion, random_seed)
                yield emotion, painter.sound(piece, Place(0, CLIP), settings, lambda _: None)
        finally:
            batcher.close()


def piece_of(emotion: Emotion, random_seed: int, length_s: float = LENGTH_S) -> Piece:
    """Returns a piece of one emotion, by default as long as a clip."""
    span = EmotionSpan(Span(0.0, length_s), emotion, 0.9)
    return Piece(EmotionTimeline(length_s, (span,)), (), random_seed, AUTO)


def write_sound(sound: Stereo, path: Path) -> None:
    """Writes a sound at 44,100 Hz as FLAC."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing([path], PARAMS.sample_rate_hz) as write:
        write([sound])
