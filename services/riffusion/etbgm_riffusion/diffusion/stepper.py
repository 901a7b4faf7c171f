"""Computes batches: the rows of many canvases, each at its own timestep, in one call of the model."""

import logging
from collections.abc import Sequence

import torch

from etbgm_riffusion.diffusion.line import Batch
from etbgm_riffusion.diffusion.lora import Adapters
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.work import Stage, Work

log = logging.getLogger(__name__)


class Stepper:
    """Runs `pipeline` with a batch's adapters and passes the results of its windows to the canvases."""

    def __init__(self, pipeline: Pipeline, adapters: Adapters) -> None:
        self._pipeline, self._adapters = pipeline, adapters

    def run(self, batch: Batch) -> None:
        """Calls the model. If it fails, computes each canvas alone to find the one that caused the error."""
        try:
            with torch.inference_mode():
                results = self._compute(batch)
        except Exception as error:
            parts = batch.parts()
            for part in parts if len(parts) > 1 else ():
                self.run(part)
            if len(parts) == 1:
                _fail(batch.places[0][0], error)
            return
        for (work, window), rows in zip(batch.places, results, strict=True):
            try:
                with torch.inference_mode():
                    work.put(window, rows)
            except Exception as error:
                _fail(work, error)

    def _compute(self, batch: Batch) -> Sequence[torch.Tensor]:
        """Returns the model's rows for each place."""
        tiles = [work.tile(window) for work, window in batch.places]
        if batch.stage is Stage.DENOISE:
            return self._predict(batch, tiles)
        code = self._pipeline.encode if batch.stage is Stage.ENCODE else self._pipeline.decode
        return [image.unsqueeze(0) for image in code(torch.stack(tiles))]

    def _predict(self, batch: Batch, tiles: list[torch.Tensor]) -> Sequence[torch.Tensor]:
        """Returns one row for each place, or two with guidance."""
        self._adapters.apply(batch.adapters)
        for work, _ in batch.places:
            work.embed(self._pipeline.embed)
        rows = [work.rows for work, _ in batch.places]
        noise = self._pipeline.predict(
            torch.cat([tile.expand(count, -1, -1, -1) for tile, count in zip(tiles, rows, strict=True)]),
            torch.cat([work.timestep.expand(work.rows) for work, _ in batch.places]),
            torch.cat([work.texts(window) for work, window in batch.places]),
        )
        split: Sequence[torch.Tensor] = noise.split(rows)
        return split


def _fail(work: Work, error: Exception) -> None:
    log.error("a canvas failed", exc_info=error)
    work.fail(error)
