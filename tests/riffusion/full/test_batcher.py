"""The batcher against diffusers' own pipeline, against itself alone, and with callers that leave."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from etbgm_kit.errors import Busy, CallCancelled, NotFound
from etbgm_riffusion.diffusion import noise
from etbgm_riffusion.diffusion.batcher import Batcher
from etbgm_riffusion.diffusion.line import Limits
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.types import Continuity, Progress, PromptSpan
from tests.riffusion.full.canvases import canvas_of, ignore

POISON = 0.12345
"""A pixel that the watched pipeline fails on."""


class WatchedPipeline(Pipeline):
    """Notes how many rows each step had; fails on images with POISON; encodes none while `gate` is shut."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(**{field.name: getattr(pipeline, field.name) for field in fields(Pipeline)})
        object.__setattr__(self, "rows", [])
        object.__setattr__(self, "gate", threading.Event())
        self.gate.set()

    rows: list[int]
    gate: threading.Event

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        self.gate.wait(60)
        if (pixels == POISON).any():
            raise RuntimeError("poison")
        return super().encode(pixels)

    def predict(
        self, latents: torch.Tensor, timesteps: torch.Tensor, embeddings: torch.Tensor
    ) -> torch.Tensor:
        self.rows.append(len(latents))
        return super().predict(latents, timesteps, embeddings)


@pytest.fixture
def watched(coarse: Pipeline) -> WatchedPipeline:
    return WatchedPipeline(coarse)


@pytest.fixture
def small(watched: WatchedPipeline) -> Iterator[Batcher]:
    """Places for two windows with guidance in a batch, for three in all."""
    batcher = Batcher(watched, Limits(rows=4, windows=3))
    yield batcher
    batcher.close()


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as callers:
        yield callers


class Caller:
    """Reports of a caller that leaves when it is told to."""

    def __init__(self) -> None:
        self.joined, self.begun, self.leaves = (threading.Event() for _ in range(3))

    def __call__(self, progress: Progress) -> None:
        self.joined.set()
        if progress.step:
            self.begun.set()
        if self.leaves.is_set():
            raise CallCancelled


@pytest.mark.parametrize("guidance_scale", [7.0, 1.0])
def test_one_clip_is_what_diffusers_makes_of_it(
    tiny: Pipeline, batcher: Batcher, guidance_scale: float
) -> None:
    """Within 1e-4 of [-1, 1]: the batcher fills rows up, so sums are rounded otherwise."""
    canvas = canvas_of(steps=6, denoising_strength=0.5, guidance_scale=guidance_scale)
    made = batcher.denoise(canvas, ignore)
    with torch.inference_mode():
        latents = tiny.encode(torch.tensor(canvas.pixels).unsqueeze(0))
    theirs = tiny.parts(
        prompt="joyful piano",
        negative_prompt="noise",
        image=latents,
        strength=0.5,
        num_inference_steps=6,
        guidance_scale=guidance_scale,
        generator=noise.generator_of(canvas.random_seed, 0),
        output_type="pt",
    ).images[0]
    assert np.std(made) > 0.05
    np.testing.assert_allclose(made, theirs.numpy() * 2 - 1, atol=1e-4)


def test_neighbours_do_not_change_a_single_bit(
    tiny: Pipeline, batcher: Batcher, callers: ThreadPoolExecutor
) -> None:
    canvases = [
        canvas_of(steps=5, random_seed=1),
        canvas_of(steps=4, random_seed=2, width=700, guidance_scale=3.0),
        canvas_of(steps=5, random_seed=3, guidance_scale=1.0, prompt="sad slow"),
        canvas_of(steps=5, random_seed=4, width=1000, continuity=Continuity.INTERPOLATE),
    ]
    alone = [batcher.denoise(canvas, ignore) for canvas in canvases]
    watched, reports = WatchedPipeline(tiny), [Caller() for _ in canvases]
    watched.gate.clear()
    together = Batcher(watched, Limits(rows=16))
    calls = [
        callers.submit(together.denoise, canvas, report)
        for canvas, report in zip(canvases, reports, strict=True)
    ]
    assert all(report.joined.wait(60) for report in reports)
    watched.gate.set()
    made = [call.result(60) for call in calls]
    together.close()
    assert max(watched.rows) == 11, "all of them at once"
    for mine, theirs in zip(alone, made, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_canvas_joins_and_leaves_between_steps(
    watched: WatchedPipeline, small: Batcher, callers: ThreadPoolExecutor
) -> None:
    first = Caller()
    long = callers.submit(small.denoise, canvas_of(steps=30), first)
    assert first.begun.wait(30)
    short = small.denoise(canvas_of(steps=4, random_seed=9), ignore)
    assert not long.done()
    assert np.isfinite(short).all()
    long.result(60)
    assert watched.rows[0] == watched.rows[-1] == 2
    assert watched.rows.count(4) == 3, "the short canvas needs 3 of its 4 steps at strength 0.8"


def test_a_caller_that_leaves_frees_its_place_at_the_next_step(
    watched: WatchedPipeline, small: Batcher, callers: ThreadPoolExecutor
) -> None:
    leaver = Caller()
    left = callers.submit(small.denoise, canvas_of(steps=1000), leaver)
    assert leaver.begun.wait(30)
    leaver.leaves.set()
    with pytest.raises(CallCancelled):
        left.result(30)
    done = len(watched.rows)
    small.denoise(canvas_of(steps=5), ignore)
    assert set(watched.rows[done + 1 :]) == {2}
    assert len(watched.rows) <= done + 1 + 4


def test_more_windows_than_may_wait_are_refused(small: Batcher, callers: ThreadPoolExecutor) -> None:
    reports = [Caller() for _ in range(3)]
    calls = [callers.submit(small.denoise, canvas_of(steps=1000), report) for report in reports]
    try:
        assert _wait_for(lambda: sum(report.begun.is_set() for report in reports) == 2)
        with pytest.raises(Busy) as refused:
            small.denoise(canvas_of(), ignore)
        assert refused.value.retry_after_s > 0
    finally:
        _leave(reports, calls)
    assert np.isfinite(small.denoise(canvas_of(width=2000), ignore)).all(), "alone it may have any length"


def test_a_long_canvas_does_not_keep_a_short_one_waiting(
    watched: WatchedPipeline, callers: ThreadPoolExecutor
) -> None:
    batcher = Batcher(watched, Limits(rows=4, windows=20))
    long, report = canvas_of(width=512 * 6, steps=20), Caller()
    call = callers.submit(batcher.denoise, long, report)
    assert report.begun.wait(60)
    before = len(watched.rows)
    batcher.denoise(canvas_of(steps=10), ignore)
    batches = len(watched.rows) - before
    _leave([report], [call])
    batcher.close()
    assert 8 <= batches <= 8 + 4, "a step of the short one in every batch, and while it is coded"


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_small_batches_give_the_same(tiny: Pipeline, batcher: Batcher, rows: int) -> None:
    canvas = canvas_of(width=600, steps=3)
    slow = Batcher(tiny, Limits(rows=rows))
    made = slow.denoise(canvas, ignore)
    slow.close()
    np.testing.assert_array_equal(made, batcher.denoise(canvas, ignore))


def test_what_fails_harms_nobody_else(small: Batcher, callers: ThreadPoolExecutor) -> None:
    expected = small.denoise(canvas_of(), ignore)
    broken = canvas_of()
    broken.pixels[0, 0, 0] = POISON
    fails = callers.submit(small.denoise, broken, ignore)
    works = callers.submit(small.denoise, canvas_of(), ignore)
    with pytest.raises(RuntimeError, match="poison"):
        fails.result(60)
    np.testing.assert_array_equal(works.result(60), expected)
    np.testing.assert_array_equal(small.denoise(canvas_of(), ignore), expected)


def test_progress_counts_steps_and_clips(batcher: Batcher) -> None:
    seen: list[Progress] = []
    batcher.denoise(canvas_of(width=1100, steps=5), seen.append)
    assert [progress.share for progress in seen] == sorted(progress.share for progress in seen)
    assert seen[-1] == Progress(share=1.0, step=4, steps=4, clips=3)
    assert {progress.step for progress in seen} >= {1, 2, 3}


def test_no_strength_keeps_the_seed_spectrogram(batcher: Batcher) -> None:
    canvas = canvas_of(denoising_strength=0.0)
    np.testing.assert_array_equal(batcher.denoise(canvas, ignore), canvas.pixels)


def test_strength_prompt_and_random_seed_count(batcher: Batcher) -> None:
    """The less strength, the less noise matters."""
    base = canvas_of(steps=5)
    strong = batcher.denoise(base, ignore)
    weak, other_weak = (
        batcher.denoise(replace(base, steps=20, denoising_strength=0.05, random_seed=seed), ignore)
        for seed in (1, 8)
    )
    others = [
        batcher.denoise(replace(base, prompts=(PromptSpan(0, 512, "angry drums", "noise"),)), ignore),
        batcher.denoise(replace(base, random_seed=8), ignore),
    ]
    assert _apart(weak, other_weak) < 0.8 * _apart(strong, others[1])
    assert all(_apart(strong, other) > 1e-4 for other in others)


def test_interpolated_clips_are_each_denoised_alone(small: Batcher) -> None:
    both = canvas_of(width=1024, continuity=Continuity.INTERPOLATE, alpha=0.5)
    prompts = (PromptSpan(0, 512, "joyful piano", "noise"),)
    halves = [
        replace(both, pixels=both.pixels[:, :, start : start + 512], prompts=prompts, position=start)
        for start in (0, 512)
    ]
    made = np.concatenate([small.denoise(half, ignore) for half in halves], axis=2)
    np.testing.assert_array_equal(small.denoise(both, ignore), made)


def test_joint_windows_leave_no_seam(batcher: Batcher) -> None:
    """Where windows begin and end the picture changes from column to column as it does elsewhere.

    Clips denoised alone show that the measure sees seams.
    """
    canvas = canvas_of(width=1024, denoising_strength=0.6, steps=8)
    apart = batcher.denoise(replace(canvas, continuity=Continuity.INTERPOLATE), ignore)
    joint = batcher.denoise(canvas, ignore)
    assert _seam(apart, 512) > 0.5
    assert max(_seam(joint, column) for column in (256, 512, 768)) < 0.25


def test_unknown_adapters_and_a_closed_batcher(coarse: Pipeline) -> None:
    batcher = Batcher(coarse)
    with pytest.raises(NotFound, match="none-such"):
        batcher.denoise(canvas_of(adapters=(("none-such", 1.0),)), ignore)
    batcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        batcher.denoise(canvas_of(), ignore)


def test_closing_tells_those_who_wait(coarse: Pipeline, callers: ThreadPoolExecutor) -> None:
    batcher, report = Batcher(coarse), Caller()
    call = callers.submit(batcher.denoise, canvas_of(steps=1000), report)
    assert report.begun.wait(30)
    batcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        call.result(30)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"alpha": 0.0},
        {"position": 4},
        {"denoising_strength": 1.1},
        {"prompts": (PromptSpan(0, 500, "a"),)},
        {"prompts": (PromptSpan(0, 300, "a"), PromptSpan(200, 512, "b"))},
        {"pixels": np.full((3, 512, 512), np.nan, np.float32)},
        {"pixels": np.zeros((3, 256, 512), np.float32)},
    ],
)
def test_impossible_canvases(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must be"):
        replace(canvas_of(), **wrong)


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


def _seam(pixels: np.ndarray, column: int) -> float:
    """How unlike others the step before `column` is: |ln| of its ratio to the median step between latents."""
    steps = np.abs(np.diff(pixels, axis=2)).mean((0, 1))
    return float(abs(np.log(steps[column - 1] / np.median(steps[7::8]))))


def _leave(reports: list[Caller], calls: list[Future[np.ndarray]]) -> None:
    for report in reports:
        report.leaves.set()
    for call in calls:
        with pytest.raises(CallCancelled):
            call.result(60)


def _wait_for(condition: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(condition() or pause.wait(0.05) for _ in range(1200))
