"""One canvas in the model: encoded, denoised step by step, decoded.

At any time, it waits for one result of the model for each of its windows. The batcher computes these in
any batches it likes; when all have arrived, the canvas advances.
"""

import math
from collections.abc import Callable
from concurrent.futures import Future
from enum import IntEnum
from threading import Event

import torch
from torch import Tensor
from torch.nn.functional import pad

from etbgm_riffusion.diffusion import noise
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.schedulers import begin_at
from etbgm_riffusion.diffusion.types import CLIP, Canvas, Continuity, Pixels, Progress
from etbgm_riffusion.diffusion.windows import merge, weights_of, width_of, windows_of


class Stage(IntEnum):
    """The next result that a canvas waits for."""

    ENCODE = 0
    DENOISE = 1
    DECODE = 2


class Work:
    """A canvas being denoised; other threads may only use `outcome`, `progress` and `moved`.

    `pending` lists the numbers of the windows that wait to be computed, in order. `moved` is set whenever
    `progress` changes, and when `outcome` is set.
    """

    def __init__(self, canvas: Canvas, pipeline: Pipeline) -> None:
        self._canvas, self._pipeline = canvas, pipeline
        self._side, self._scale = CLIP // pipeline.scale, pipeline.scale
        self._windows = windows_of(canvas, pipeline.scale)
        self._weights = weights_of(self._windows, self._side)
        self._tiles: list[Tensor | None] = []
        self._texts: list[Tensor] = []
        self._scheduler = pipeline.scheduler(canvas.steps)
        self._step, self._steps = 0, steps_of(canvas)
        self.adapters = tuple(sorted((name, weight) for name, weight in canvas.adapters if weight))
        self.outcome: Future[Pixels] = Future()
        self.moved = Event()
        self._enter(Stage.ENCODE, _filled(canvas, width_of(self._windows, self._side) * self._scale))

    @property
    def windows(self) -> int:
        """Number of windows of the canvas."""
        return len(self._windows)

    @property
    def rows(self) -> int:
        """Rows per window in a batch for denoising: guidance adds a row without the prompt."""
        return 2 if self._canvas.guidance_scale > 1 else 1

    @property
    def progress(self) -> Progress:
        """The canvas's progress; encoding and decoding count as one step each."""
        done = self._step + (self.stage > Stage.ENCODE) + self.outcome.done()
        clips = math.ceil(self._canvas.width / CLIP)
        return Progress(done / (self._steps + 2), self._step, self._steps, clips)

    def embed(self, embed: Callable[[str], Tensor]) -> None:
        """Embeds the prompts on the first call; the text encoder must have the canvas's adapters."""
        if self._texts:
            return
        shares = [share for window in self._windows for share in window.texts]
        prompts = {share.prompt for share in shares} | {share.negative_prompt for share in shares}
        known = {prompt: embed(prompt).float() for prompt in sorted(prompts)}
        for window in self._windows:
            texts = torch.stack([share.share * known[share.prompt] for share in window.texts])
            others = torch.stack([share.share * known[share.negative_prompt] for share in window.texts])
            self._texts.append(torch.stack([others.sum(0), texts.sum(0)])[-self.rows :])

    def tile(self, window: int) -> Tensor:
        """Returns the part of the canvas in a window: pixels (3, 512, 512) or latents (4, 64, 64)."""
        scale = self._scale if self.stage is Stage.ENCODE else 1
        start = self._windows[window].start * scale
        return self._image[:, :, start : start + self._side * scale]

    def texts(self, window: int) -> Tensor:
        """Returns embeddings (rows, tokens, features): the negative prompt's if guided, and the prompt's."""
        return self._texts[window]

    @property
    def timestep(self) -> Tensor:
        """The canvas's timestep in its schedule, a scalar."""
        return self._scheduler.timesteps[len(self._scheduler.timesteps) - self._steps + self._step]

    def put(self, window: int, rows: Tensor) -> None:
        """Stores a window's result, (rows, channels, height, width); advances after the last one."""
        if self.outcome.done():
            return
        if len(rows) == 2:
            rows = rows[:1] + self._canvas.guidance_scale * (rows[1:] - rows[:1])
        self._tiles[window] = rows[0]
        tiles = [tile for tile in self._tiles if tile is not None]
        if len(tiles) == self.windows:
            self._advance(tiles)
            self.moved.set()

    def fail(self, error: Exception) -> None:
        """Ends the work, unless it has ended: waiting for `outcome` raises `error`."""
        if not self.outcome.done():
            self.outcome.set_exception(error)
            self.moved.set()

    def _advance(self, tiles: list[Tensor]) -> None:
        image = merge(self._windows, tiles, self._weights, self._scale if self.stage is Stage.DECODE else 1)
        match self.stage:
            case Stage.ENCODE:
                self._enter(Stage.DENOISE, self._noised(image))
            case Stage.DENOISE:
                latents = self._scheduler.step(image, self.timestep, self._image, return_dict=False)[0]
                self._step += 1
                self._enter(Stage.DENOISE if self._step < self._steps else Stage.DECODE, latents)
            case Stage.DECODE:
                pixels = image[:, :, : self._canvas.width].clamp(-1, 1).cpu().numpy()
                self.outcome.set_result(pixels)

    def _enter(self, stage: Stage, image: Tensor) -> None:
        self.stage, self._image = stage, image
        self.pending = list(range(self.windows))
        self._tiles = [None] * self.windows

    def _noised(self, latents: Tensor) -> Tensor:
        """Returns the seed spectrogram with the noise of the first computed timestep."""
        begin_at(self._scheduler, len(self._scheduler.timesteps) - self._steps)
        drawn = self._noise(latents.shape[0]).to(latents.device)
        return self._scheduler.add_noise(latents, drawn, self.timestep.reshape(1))

    def _noise(self, channels: int) -> Tensor:
        canvas, side = self._canvas, self._side
        start = canvas.position // self._scale
        if canvas.continuity is Continuity.JOINT:
            width = width_of(self._windows, side)
            return noise.stretch(canvas.random_seed, start, width, channels, side)
        places = [(start + window.start) / side * canvas.alpha for window in self._windows]
        return torch.cat([noise.between(canvas.random_seed, place, channels, side) for place in places], 2)


def steps_of(canvas: Canvas) -> int:
    """Returns the steps that a canvas needs, by diffusers' rule for image-to-image."""
    return min(int(canvas.steps * canvas.denoising_strength), canvas.steps)


def _filled(canvas: Canvas, width: int) -> Tensor:
    """Returns the canvas's pixels, with the last column repeated up to `width`."""
    pixels = torch.tensor(canvas.pixels)
    return pad(pixels, (0, width - canvas.width), mode="replicate")
