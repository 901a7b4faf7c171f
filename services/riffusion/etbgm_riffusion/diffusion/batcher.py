"""Step-level continuous batching: one thread denoises the windows of all canvases together.

Every batch is selected anew: a canvas joins at the next step, regardless of the others' timesteps,
prompts, guidance and strength, and leaves when it is done or its caller has left. Each canvas has its own
scheduler and noise, so other canvases do not affect its result: it is bit-identical on the CPU
(see `steady`), and within float tolerance on CUDA.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from etbgm_kit.errors import Conflict
from etbgm_riffusion.diffusion.compiling import compile_unet
from etbgm_riffusion.diffusion.line import Limits, Line
from etbgm_riffusion.diffusion.lora import Adapters
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.stepper import Stepper
from etbgm_riffusion.diffusion.types import Canvas, OnSteps, Pixels
from etbgm_riffusion.diffusion.work import Work, steps_of

CHECK_EVERY_S = 0.25
"""A caller reports progress at least this often, and so learns that it should stop."""


class Batcher:
    """Denoises canvases with `pipeline`, which it then owns; call it from any thread."""

    def __init__(self, pipeline: Pipeline, limits: Limits | None = None) -> None:
        self._pipeline = pipeline
        self._adapters = Adapters(pipeline)
        self._stepper = Stepper(pipeline, self._adapters)
        self._line = Line(limits or Limits())
        self._errands: deque[tuple[Future[None], Callable[[], None]]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._loop, name="denoiser", daemon=True)
        self._thread.start()

    def denoise(self, canvas: Canvas, on_progress: OnSteps) -> Pixels:
        """Returns the canvas after denoising, (3, 512, width) in [-1, 1]; blocks.

        Raises NotFound for adapters that are not loaded, Busy beyond the limits, and whatever
        `on_progress` raises; the canvas then frees its place at the next step.
        """
        if not steps_of(canvas):
            return canvas.pixels.copy()
        work = Work(canvas, self._pipeline)
        with self._changed:
            self._adapters.check(tuple(name for name, _ in work.adapters))
            self._check_open()
            self._line.join(work)
            self._changed.notify()
        try:
            while not work.outcome.done():
                work.moved.wait(CHECK_EVERY_S)
                work.moved.clear()
                on_progress(work.progress)
            return work.outcome.result()
        finally:
            with self._changed:
                self._line.leave(work)

    def adapters(self) -> tuple[str, ...]:
        """Returns the names of the loaded LoRA adapters, in alphabetical order."""
        return self._adapters.names()

    def load_adapter(self, name: str, file: Path) -> None:
        """Loads a LoRA between two steps; blocks. Raises BrokenModel, and Conflict if the name is taken."""
        self._between_steps(lambda: self._adapters.load(name, file))

    def unload_adapter(self, name: str) -> None:
        """Removes a LoRA between two steps; blocks. Raises NotFound, and Conflict while a canvas uses it."""
        self._between_steps(lambda: self._unload(name))

    def compile_unet(self) -> str | None:
        """See `compiling.compile_unet`; blocks."""
        told: list[str | None] = []
        self._between_steps(lambda: told.append(compile_unet(self._pipeline)))
        return told[0]

    def close(self) -> None:
        """Stops the thread after the current batch and fails the remaining canvases; blocks."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _loop(self) -> None:
        while True:
            with self._changed:
                while not (self._errands or self._closed or (batch := self._line.next_batch())):
                    self._changed.wait()
                if self._closed:
                    self._end()
                    return
                errands, self._errands = self._errands, deque()
            for outcome, errand in errands:
                _settle(outcome, errand)
            if not errands and batch:
                self._stepper.run(batch)
                with self._changed:
                    for work in batch.done():
                        self._line.leave(work)

    def _unload(self, name: str) -> None:
        with self._changed:
            if any(name == used for work in self._line for used, _ in work.adapters):
                raise Conflict(f"the adapter {name} is in use")
            self._adapters.unload(name)

    def _between_steps(self, errand: Callable[[], None]) -> None:
        outcome: Future[None] = Future()
        with self._changed:
            self._check_open()
            self._errands.append((outcome, errand))
            self._changed.notify()
        outcome.result()

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("the denoiser is closed")

    def _end(self) -> None:
        """Fails all pending work, so that no caller waits forever."""
        closed = RuntimeError("the denoiser is closed")
        for work in self._line:
            work.fail(closed)
        for outcome, _ in self._errands:
            outcome.set_exception(closed)


def _settle(outcome: Future[None], errand: Callable[[], None]) -> None:
    """Runs `errand` and stores its result or exception in `outcome`."""
    try:
        errand()
    except Exception as error:
        outcome.set_exception(error)
    else:
        outcome.set_result(None)
