"""Trains an adapter step by step; an interrupted run continues from its last saved state."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.training.clips import Clips, numbers_of
from etbgm_riffusion.training.objective import Objective
from etbgm_riffusion.training.recipe import Recipe
from etbgm_riffusion.training.run import Point, RunFolder
from etbgm_riffusion.training.samples import Sampler, write_sound
from etbgm_riffusion.training.weights import AdapterWeights
from etbgm_riffusion.types import DiffusionSettings

if TYPE_CHECKING:
    from accelerate import Accelerator

_HELD_OUT, _TIMESTEPS = 256, 4
"""Held-out clips, at most, and timesteps of each, that a check computes."""

_DROPPED, _PRIOR, _CHECK = 1, 2, 3
"""What a random number is for, beside the noise of training clips."""

_GOLDEN = 0.6180339887498949


class Stopped(RuntimeError):
    """Training was asked to stop; its state is saved."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}; the same command continues")


@dataclass(frozen=True)
class Trained:
    """The outcome: the step with the best held-out loss, that loss, and the loss before training.

    Without held-out clips, the last step, and None.
    """

    best_step: int
    held_out: float | None
    held_out_before: float | None
    curve: tuple[Point, ...]


@dataclass
class _Progress:
    """What changes from check to check: the best loss so far, its step, and checks since."""

    step: int = 0
    best: float = float("inf")
    best_step: int = 0
    checks: int = 0


class Trainer:
    """Trains on `clips` and checks on `held_out`, which may be empty; `prior` is for prior preservation."""

    def __init__(
        self, pipeline: Pipeline, recipe: Recipe, run: RunFolder,
        clips: Clips, held_out: Clips, prior: Clips | None, sampler: Sampler | None,
    ) -> None:  # fmt: skip
        """Adds the adapter to the pipeline's UNet. Raises DatasetError if no layer is a target."""
        self._recipe, self._run, self._sampler = recipe, run, sampler
        self._clips, self._held_out, self._prior = clips, held_out, prior
        self._weights = AdapterWeights(pipeline, recipe)
        if recipe.checkpointing:
            self._weights.unet.enable_gradient_checkpointing()
        self._accelerator = _accelerator(pipeline, recipe, run)
        optimizer = torch.optim.AdamW(
            self._weights.parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._unet, self._optimizer = self._accelerator.prepare(self._weights.unet, optimizer)
        self._objective = Objective(pipeline, self._unet, recipe.min_snr)
        self._progress = _Progress()

    def train(self, on_point: Callable[[Point], None], should_stop: Callable[[], bool]) -> Trained:
        """Trains to the last step, or until held-out clips get no better; blocks.

        `on_point` is called after every step and check. If `should_stop` returns True after a step, the
        state is saved. Raises Stopped then.
        """
        self._restore()
        progress, recipe = self._progress, self._recipe
        self._unet.train()
        if progress.step == 0 and not self._run.curve():
            self._check(on_point)
        while progress.step < recipe.steps and not self._is_stale():
            loss = self._step(progress.step)
            progress.step += 1
            self._note(Point(progress.step, loss), on_point)
            if progress.step % recipe.check_every == 0 or progress.step == recipe.steps:
                self._check(on_point)
            if recipe.sample_every and progress.step % recipe.sample_every == 0:
                self._sample()
            if should_stop():
                self._save()
                raise Stopped(progress.step)
        self._accelerator.end_training()
        curve = tuple(self._run.curve())
        before = next((point.held_out for point in curve if point.step == 0), None)
        best = progress.best if len(self._held_out) else None
        return Trained(progress.best_step, best, before, curve)

    def _step(self, step: int) -> float:
        """Takes one optimiser step; returns its mean loss."""
        recipe, total = self._recipe, 0.0
        rate = recipe.learning_rate * min(1.0, (step + 1) / max(1, recipe.warm_up))
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        for part in range(recipe.accumulation):
            with self._accelerator.accumulate(self._unet):
                loss = self._loss(step * recipe.accumulation + part)
                self._accelerator.backward(loss)
                if self._accelerator.sync_gradients:
                    self._accelerator.clip_grad_norm_(self._weights.parameters, recipe.largest_gradient)
                self._optimizer.step()
                self._optimizer.zero_grad()
                total += float(loss.detach()) / recipe.accumulation
        self._weights.step()
        return total

    def _loss(self, number: int) -> Tensor:
        """Returns the loss of batch `number`."""
        recipe = self._recipe
        chosen = numbers_of(len(self._clips), recipe.batch, number, recipe.random_seed)
        noised = self._objective.noised(self._clips.stacked(chosen), (recipe.random_seed, number))
        captions = self._clips.captions(
            chosen, recipe.caption_dropout, (recipe.random_seed, number, _DROPPED)
        )
        loss = self._objective.losses(noised, captions).mean()
        return loss + recipe.prior_weight * self._prior_loss(number) if self._prior else loss

    def _prior_loss(self, number: int) -> Tensor:
        """Returns how far the prediction for clips of the second data set is from that without the adapter.

        The purpose is that of N. Ruiz et al., "DreamBooth" (2023), section 3.3; the model's own predictions
        are kept instead of images that it makes (Z. Li & D. Hoiem, "Learning without forgetting", 2016).
        """
        assert self._prior is not None
        seed = self._recipe.random_seed
        chosen = numbers_of(len(self._prior), self._recipe.batch, number, seed + _PRIOR)
        noised = self._objective.noised(self._prior.stacked(chosen), (seed, number, _PRIOR))
        captions = self._prior.captions(chosen)
        with torch.no_grad(), self._weights.disabled():
            wanted = self._objective.predict(noised, captions)
        return ((self._objective.predict(noised, captions) - wanted) ** 2).mean()

    def _check(self, on_point: Callable[[Point], None]) -> None:
        """Computes the held-out loss, keeps the best weights, saves the state."""
        progress = self._progress
        with self._weights.averaged():
            held_out = self._held_out_loss()
            if held_out is None or held_out < progress.best:
                progress.best, progress.best_step, progress.checks = held_out or 0.0, progress.step, 0
                self._weights.save(self._weights.current(), self._run.best)
            else:
                progress.checks += 1
        if held_out is not None:
            self._note(Point(progress.step, held_out=held_out), on_point)
        if progress.step:
            self._save()

    def _held_out_loss(self) -> float | None:
        """Returns the mean loss at fixed timesteps with fixed noise; None without held-out clips."""
        if not len(self._held_out):
            return None
        losses: list[float] = []
        with torch.no_grad():
            for number in range(min(_HELD_OUT, len(self._held_out))):
                shares = (np.arange(_TIMESTEPS) + number * _GOLDEN % 1) / _TIMESTEPS
                timesteps = torch.from_numpy((shares * self._objective.timesteps).astype(np.int64))
                latents = self._held_out.stacked([number] * _TIMESTEPS)
                noised = self._objective.noised(latents, (0, number, _CHECK), timesteps)
                caption = self._held_out.rows[number].caption
                losses += self._objective.losses(noised, [caption] * _TIMESTEPS).tolist()
        return float(np.mean(losses))

    def _sample(self) -> None:
        if self._sampler is None:
            return
        recipe, step = self._recipe, self._progress.step
        board = self._accelerator.get_tracker("tensorboard", unwrap=True)
        with self._weights.averaged():
            sounds = self._sampler.sounds(recipe.sample_emotions, recipe.random_seed, DiffusionSettings())
            for emotion, sound in sounds:
                write_sound(sound, self._run.path / "samples" / f"step-{step:06}-{emotion}.flac")
                board.add_audio(str(emotion), torch.from_numpy(sound.T.copy()).mean(0), step, 44100)

    def _note(self, point: Point, on_point: Callable[[Point], None]) -> None:
        self._run.add(point)
        named = {"loss": point.loss, "loss of held-out clips": point.held_out}
        named = {name: value for name, value in named.items() if value is not None}
        self._accelerator.log(named, step=point.step)
        on_point(point)

    def _is_stale(self) -> bool:
        return 0 < self._recipe.patience <= self._progress.checks

    def _save(self) -> None:
        state: dict[str, Any] = {"adapter": self._weights.state(), "optimizer": self._optimizer.state_dict()}
        scaler = self._accelerator.scaler
        state |= {"scaler": scaler.state_dict() if scaler else None, "progress": vars(self._progress)}
        self._run.save(state)

    def _restore(self) -> None:
        state = self._run.restore()
        if state:
            self._weights.restore(state["adapter"])
            self._optimizer.load_state_dict(state["optimizer"])
            if self._accelerator.scaler and state["scaler"]:
                self._accelerator.scaler.load_state_dict(state["scaler"])
            vars(self._progress).update(state["progress"])
        self._run.curve(self._progress.step if state else -1)
        purge = {"purge_step": self._progress.step + 1}
        self._accelerator.init_trackers("adapter", init_kwargs={"tensorboard": purge})


def _accelerator(pipeline: Pipeline, recipe: Recipe, run: RunFolder) -> "Accelerator":
    from accelerate import Accelerator

    mixed = {torch.float16: "fp16", torch.bfloat16: "bf16"}.get(pipeline.dtype, "no")
    return Accelerator(
        cpu=pipeline.device.type == "cpu",
        mixed_precision=mixed,
        gradient_accumulation_steps=recipe.accumulation,
        log_with="tensorboard",
        project_dir=run.path / "logs",
    )
