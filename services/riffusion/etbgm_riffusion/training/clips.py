"""Clips as the model sees them: latents, cached in a file, and captions; batches that depend on the step."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.types import Clip, DatasetError, Split
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.types import CLIP, ROWS

OnClips = Callable[[int], None]
"""Called with the number of clips encoded so far."""


@dataclass(frozen=True)
class Clips:
    """The clips of a split: latents (n, 4, 64, 64) float16 in a memory-mapped file, and their rows."""

    latents: NDArray[np.float16]
    rows: list[Clip]

    def __len__(self) -> int:
        return len(self.rows)

    def stacked(self, numbers: list[int]) -> Tensor:
        """Returns the latents of these clips, (n, 4, 64, 64) float32."""
        return torch.from_numpy(self.latents[numbers].astype(np.float32))

    def captions(self, numbers: list[int], dropout: float = 0.0, key: tuple[int, ...] = ()) -> list[str]:
        """Returns the captions of these clips, each left empty with the probability `dropout`.

        `key` is the random seed of the draw. J. Ho and T. Salimans, "Classifier-free diffusion guidance"
        (2022): what was trained without captions too can be guided.
        """
        chance = np.random.default_rng(key).random(len(numbers))
        return [
            "" if drawn < dropout else self.rows[number].caption
            for number, drawn in zip(numbers, chance, strict=True)
        ]


def encoded(
    folder: DatasetFolder, split: Split, pipeline: Pipeline, model: str, path: Path, on_clips: OnClips
) -> Clips:
    """Encodes the images of a split into `path`, unless that was done with the same images and `model`.

    Latents are the means that the coder finds, as in production. Raises DatasetError for broken images.
    """
    rows = folder.rows(split)
    side, channels = CLIP // pipeline.scale, pipeline.channels
    if not rows:
        return Clips(np.zeros((0, channels, side, side), np.float16), rows)
    key = hashlib.sha256(model.encode())
    for row in rows:
        stat = _image(folder, split, row).stat()
        key.update(f"{row.file_name} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    digest, mark = key.hexdigest(), path.with_suffix(".sha256")
    if not (path.is_file() and mark.is_file() and mark.read_text() == digest):
        mark.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        shape = (len(rows), channels, side, side)
        latents = np.lib.format.open_memmap(path, "w+", np.float16, shape)
        with torch.inference_mode():
            for number, row in enumerate(rows):
                pixels = pixels_of(_image(folder, split, row)).unsqueeze(0)
                latents[number] = pipeline.encode(pixels)[0].cpu().numpy()
                on_clips(number + 1)
        latents.flush()
        mark.write_text(digest)
    return Clips(np.load(path, mmap_mode="r"), rows)


def pixels_of(path: Path) -> Tensor:
    """Returns an image as (3, 512, 512) float32 in [-1, 1]. Raises DatasetError."""
    try:
        with Image.open(path) as image:
            levels = np.asarray(image.convert("RGB"), dtype=np.float32)
    except (OSError, SyntaxError) as error:
        raise DatasetError(f"{path} is broken: {error}") from error
    if levels.shape != (ROWS, CLIP, 3):
        raise DatasetError(f"{path} is {levels.shape[1]} × {levels.shape[0]} pixels, not {CLIP} × {ROWS}")
    return torch.from_numpy(np.ascontiguousarray(levels.transpose(2, 0, 1))) / 127.5 - 1


def numbers_of(clips: int, batch: int, number: int, random_seed: int) -> list[int]:
    """Returns the clips of batch `number`: each epoch is a new order of all of them."""
    found = []
    for place in range(number * batch, (number + 1) * batch):
        epoch, index = divmod(place, clips)
        found.append(int(np.random.default_rng((random_seed, epoch)).permutation(clips)[index]))
    return found


def _image(folder: DatasetFolder, split: Split, row: Clip) -> Path:
    path = folder.image(split, row)
    if not path.is_file():
        raise DatasetError(f"{path} is missing")
    return path
