"""Compares music with and without an adapter, on held-out captions and random seeds of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.dataset.features import heard
from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.types import SPLITS, Clip, DatasetError, Split
from etbgm_riffusion.diffusion.batcher import Batcher
from etbgm_riffusion.diffusion.cues import PARAMS
from etbgm_riffusion.diffusion.painter import PEAK, pixels_of_levels
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.types import CLIP, Canvas, Pixels, PromptSpan
from etbgm_riffusion.spectrogram import image
from etbgm_riffusion.spectrogram.codec import Codec
from etbgm_riffusion.training.clips import pixels_of
from etbgm_riffusion.training.comparison import Evaluation, Way, write_page
from etbgm_riffusion.training.distances import mfcc_distance, repetition, seam, spectral_distance_db
from etbgm_riffusion.training.samples import piece_of, write_sound
from etbgm_riffusion.types import DiffusionSettings, Stereo

WIDTH = 2 * CLIP
"""Columns of each canvas, 10.24 s: three windows, so that seams and repeats can show."""

FIRST_SEED = 1_000_000
"""Random seeds start here: training's samples have other ones."""

FEATURES = ("loudness", "onset rate", "tempo", "centroid", "register", "mode", "roughness")
"""The features of `make bench-music` that emotions differ in."""

RATE_HZ = PARAMS.sample_rate_hz


class Made(NamedTuple):
    """A canvas made in one way, as picture and sound."""

    emotion: Emotion
    pixels: Pixels
    sound: Stereo


@dataclass(frozen=True)
class Evaluator:
    """Makes pairs of canvases with `pipeline`, which must not be in use."""

    pipeline: Pipeline
    composer: ComposerEngine
    folder: DatasetFolder

    def evaluate(
        self, adapter: tuple[str, Path], weight: float, pairs: int, settings: DiffusionSettings,
        out: Path, on_pair: Callable[[int], None],
    ) -> Evaluation:  # fmt: skip
        """Writes sounds and `evaluation.json` to `out`, and returns the results; blocks.

        Raises DatasetError if the data set has no clips, BrokenModel for the adapter.
        """
        split, rows = self._rows()
        codec = Codec(PARAMS, str(self.pipeline.device))
        batcher = Batcher(self.pipeline)
        made: dict[str, list[Made]] = {"seed": [], "without": [], "with": []}
        try:
            batcher.load_adapter(*adapter)
            for number in range(pairs):
                row = rows[number % len(rows)]
                seed, guide = self._seed(row.emotion, FIRST_SEED + number, codec)
                canvas = _canvas(seed, row.caption, FIRST_SEED + number, settings)
                made["seed"].append(Made(row.emotion, seed, guide))
                for way, adapters in (("without", ()), ("with", ((adapter[0], weight),))):
                    pixels = batcher.denoise(replace(canvas, adapters=adapters), lambda _: None)
                    made[way].append(Made(row.emotion, pixels, _sound(pixels, guide, codec)))
                for way, canvases in made.items():
                    write_sound(canvases[-1].sound, out / "sounds" / f"{number:03}-{way}.flac")
                on_pair(number + 1)
        finally:
            batcher.close()
        reference = list(self._reference(split, rows[: max(8, pairs)], codec))
        ways = {way: _measured(canvases, reference, self.pipeline.scale) for way, canvases in made.items()}
        found = Evaluation(
            adapter=adapter[0], weight=weight, split=split, pairs=pairs, reference_clips=len(reference),
            seed=ways["seed"], without=ways["without"], with_adapter=ways["with"],
        )  # fmt: skip
        (out / "evaluation.json").write_text(found.model_dump_json(indent=1))
        write_page(found, [one.emotion for one in made["seed"]], out)
        return found

    def _rows(self) -> tuple[Split, list[Clip]]:
        """Returns held-out clips, or those of training if there are none, emotions in turn."""
        for split in reversed(SPLITS):
            rows = self.folder.rows(split)
            if rows:
                return split, sorted(rows, key=lambda row: (_place(row, rows), row.emotion))
        raise DatasetError("the data set has no clips")

    def _seed(self, emotion: Emotion, random_seed: int, codec: Codec) -> tuple[Pixels, Stereo]:
        """Returns the composer's spectrogram of an emotion, and its sound."""
        composed = self.composer.compose(piece_of(emotion, random_seed, length_s=WIDTH / 100))
        sound = np.zeros((WIDTH * PARAMS.hop, 2), np.float32)
        filled = 0
        span = piece_of(emotion, random_seed, length_s=WIDTH / 100).timeline.spans[0].span
        for parts in self.composer.sound(composed, span, RATE_HZ, lambda _: None):
            sound[filled : filled + parts.shape[1]] = parts[0]
            filled += parts.shape[1]
        return pixels_of_levels(image.to_pixels(codec.encode(sound)[..., :WIDTH], PEAK)), sound

    def _reference(self, split: Split, rows: Sequence[Clip], codec: Codec) -> Iterator[Stereo]:
        """Yields clips of the data set after the image coder, whose losses all music shares."""
        for row in rows:
            pixels = pixels_of(self.folder.image(split, row)).unsqueeze(0)
            with torch.inference_mode():
                coded = self.pipeline.decode(self.pipeline.encode(pixels))[0].clamp(-1, 1).cpu().numpy()
            yield _sound(coded, None, codec)


def _canvas(seed: Pixels, caption: str, random_seed: int, settings: DiffusionSettings) -> Canvas:
    return Canvas(
        pixels=seed,
        prompts=(PromptSpan(0, WIDTH, caption),),
        denoising_strength=settings.denoising_strength,
        guidance_scale=settings.guidance_scale,
        steps=settings.steps,
        random_seed=random_seed,
    )


def _sound(pixels: Pixels, guide: Stereo | None, codec: Codec) -> Stereo:
    mel = image.from_pixels((pixels.transpose(1, 2, 0) + 1) * 127.5, True, PEAK)
    return codec.decode(mel, guide, pixels.shape[2] * PARAMS.hop)


def _measured(made: Sequence[Made], reference: Sequence[Stereo], scale: int) -> Way:
    sounds = [one.sound for one in made]
    by_emotion: dict[str, dict[str, float]] = {}
    for emotion in dict.fromkeys(one.emotion for one in made):
        found = [heard(one.sound, RATE_HZ) for one in made if one.emotion == emotion]
        by_emotion[emotion] = {name: float(np.mean([each[name] for each in found])) for name in FEATURES}
    starts = [WIDTH * part // 4 for part in (1, 2, 3)]
    return Way(
        mfcc_distance=mfcc_distance(sounds, reference, RATE_HZ),
        spectral_distance_db=spectral_distance_db(sounds, reference, RATE_HZ),
        worst_seam=max(seam(one.pixels, starts, scale) for one in made),
        worst_repetition=max(repetition(one.pixels, CLIP) for one in made),
        features=by_emotion,
    )


def _place(row: Clip, rows: Sequence[Clip]) -> int:
    """Returns how many clips of the same emotion come before."""
    return [other.file_name for other in rows if other.emotion == row.emotion].index(row.file_name)
