"""Measures the denoiser: clips at once against one at a time, and steps against whole requests.

usage: python -m tests.riffusion.full.bench_diffusion [--shape coarse|tiny|sd15] [--precision fp16|bf16]
       [--compile]
Pipelines are of Stable Diffusion 1.5's build; weights are random. `coarse` and `tiny` have few
channels, for one core, whose own time is taken. With the 64 × 64 latents of `tiny` that core
is busy with one clip already; with the 16 × 16 of `coarse` calling the operators is what takes
time, so more rows cost little, as on a GPU that one clip does not fill. `sd15` is for CUDA. With
`--compile`, the UNet is compiled for all ways, diffusers' too.

Throughput is measured on whole clips. For latencies batches of every size are timed, and then
requests arrive and are served on a clock that each batch moves on by the best time of its
size: what else the machine does would change one way's times and not the other's.
"""

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from etbgm_riffusion.diffusion import pipeline
from etbgm_riffusion.diffusion.compiling import compile_unet
from etbgm_riffusion.diffusion.line import Batch, Limits, Line
from etbgm_riffusion.diffusion.lora import Adapters
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.stepper import Stepper
from etbgm_riffusion.diffusion.types import CLIP, ROWS, Canvas
from etbgm_riffusion.diffusion.work import Stage, Work, steps_of
from tests.riffusion.bench.table import Claim, say, show
from tests.riffusion.full import tiny_pipeline
from tests.riffusion.full.canvases import canvas_of

SHAPES = {"coarse": tiny_pipeline.COARSE, "tiny": tiny_pipeline.TINY, "sd15": tiny_pipeline.SD15}
LOAD = 0.8
BATCH = 8
STEPS = 20
REQUESTS = 400
NO_LIMIT = 10**6


class Request(NamedTuple):
    """A canvas and when it arrives, in seconds."""

    at_s: float
    canvas: Canvas


class Bench:
    """One loaded pipeline and the clock that its work is timed by."""

    def __init__(self, loaded: Pipeline) -> None:
        self.pipeline = loaded
        self._stepper = Stepper(loaded, Adapters(loaded))
        self._taken: dict[tuple[Stage, int], list[float]] = defaultdict(list)

    def seconds(self, work: Callable[[], object]) -> float:
        """What `work` takes: on CUDA by the clock, on the CPU the process's own time."""
        cuda = self.pipeline.device.type == "cuda"
        clock = time.perf_counter if cuda else time.process_time
        start = clock()
        work()
        if cuda:
            torch.cuda.synchronize()
        return clock() - start

    def compute(self, batch: Batch) -> float:
        """The seconds that `batch` takes."""
        seconds = self.seconds(lambda: self._stepper.run(batch))
        self._taken[batch.stage, len(batch.places)].append(seconds)
        return seconds

    def pretend(self, batch: Batch) -> float:
        """The least seconds that batches like `batch` took; canvases get zeros."""
        channels, side = self.pipeline.channels, CLIP // self.pipeline.scale
        shape = (3, ROWS, CLIP) if batch.stage is Stage.DECODE else (channels, side, side)
        for work, window in batch.places:
            work.put(window, torch.zeros(1, *shape, device=self.pipeline.device))
        return min(self._taken[batch.stage, len(batch.places)])

    def serve(
        self, requests: Sequence[Request], rows: int, whole: bool, run: Callable[[Batch], float]
    ) -> list[float]:
        """The latency of each request, in seconds, on a clock that `run` moves on.

        Steps: each joins as soon as there is room. With `whole`, requests that wait are taken
        together when the batch before has ended, and end together: as pipelines are called.
        """
        line, now, coming = Line(Limits(rows, NO_LIMIT)), 0.0, list(requests)
        there: dict[Work, float] = {}
        latencies = []
        while coming or there:
            room = (rows // 2 if not there else 0) if whole else NO_LIMIT
            while coming and room and coming[0].at_s <= now:
                request, room = coming.pop(0), room - 1
                work = Work(request.canvas, self.pipeline)
                there[work] = request.at_s
                line.join(work)
            if batch := line.next_batch():
                now += run(batch)
                for work in batch.done():
                    line.leave(work)
                ended = [work for work in there if work.outcome.done()]
                if not whole or len(ended) == len(there):
                    latencies += [now - there.pop(work) for work in ended]
            elif coming:
                now = max(now, coming[0].at_s)
        return latencies

    def clips_per_s(self, canvases: Sequence[Canvas], rows: int) -> float:
        """Of canvases that are all there at once."""
        requests = [Request(0.0, canvas) for canvas in canvases]
        return len(canvases) / max(self.serve(requests, rows, False, self.compute))

    def diffusers_clips_per_s(self, canvases: Sequence[Canvas]) -> float:
        """Through `StableDiffusionImg2ImgPipeline`, one call after the other."""
        return len(canvases) / self.seconds(lambda: [self._diffusers(canvas) for canvas in canvases])

    def _diffusers(self, canvas: Canvas) -> None:
        self.pipeline.parts(
            prompt=canvas.prompts[0].prompt,
            negative_prompt=canvas.prompts[0].negative_prompt,
            image=torch.tensor((canvas.pixels + 1) / 2).unsqueeze(0),
            strength=canvas.denoising_strength,
            num_inference_steps=canvas.steps,
            guidance_scale=canvas.guidance_scale,
            generator=torch.Generator().manual_seed(canvas.random_seed),
            output_type="pt",
        )

    def machine(self) -> str:
        """What computes."""
        if self.pipeline.device.type == "cuda":
            return str(torch.cuda.get_device_name(self.pipeline.device))
        return f"CPU, {torch.get_num_threads()} thread"

    def peak_gb(self) -> float:
        """The most memory that was allocated on CUDA since the last call, in GB; NaN on the CPU."""
        if self.pipeline.device.type != "cuda":
            return float("nan")
        peak = torch.cuda.max_memory_allocated(self.pipeline.device) / 2**30
        torch.cuda.reset_peak_memory_stats(self.pipeline.device)
        return peak

    def flops(self, canvas: Canvas) -> float:
        """Operations of one clip, as diffusers' pipeline needs them."""
        with FlopCounterMode(display=False) as counter:
            self._diffusers(canvas)
        return float(counter.get_total_flops())

    def peak_flops_per_s(self) -> float:
        """Of the best of ten products of large matrices."""
        side = 8192 if self.pipeline.device.type == "cuda" else 1024
        matrix = torch.randn(side, side, device=self.pipeline.device, dtype=self.pipeline.dtype)
        return 2 * side**3 / min(self.seconds(lambda: matrix @ matrix) for _ in range(10))


def main() -> int:
    """0 when every claim is met."""
    program = "python -m tests.riffusion.full.bench_diffusion"
    parser = argparse.ArgumentParser(prog=program, description=__doc__)
    parser.add_argument("--shape", choices=tuple(SHAPES), default="coarse")
    parser.add_argument("--precision", choices=("auto", "fp32", "fp16", "bf16"), default="auto")
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    shape = given.shape
    if shape == "sd15" and not torch.cuda.is_available():
        parser.error("sd15 needs a CUDA device, and torch finds none")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        tiny_pipeline.build(Path(folder), SHAPES[shape])
        device = "cuda" if shape == "sd15" else "cpu"
        bench = Bench(pipeline.load(folder, device, precision=given.precision))
    compiled = given.compile and not (told := compile_unet(bench.pipeline))
    if given.compile and told:
        say(f"{told}\n")
    say(
        f"Shape {shape}, {bench.machine()}, {bench.pipeline.dtype}, torch {torch.__version__}"
        f"{', compiled' if compiled else ''}.\n"
    )
    throughput = _throughput(bench)
    say("")
    latency = _latency(bench)
    say("")
    return 0 if show([*throughput, *latency], False) else 1


def _throughput(bench: Bench) -> list[Claim]:
    """Clips of 5.12 s, 16 steps with guidance: how many at once, how many a second."""
    canvas = canvas_of(steps=STEPS)
    counts = (1, 2, 4, 8, 16, 32) if bench.pipeline.device.type == "cuda" else (1, 2, 4, 6)
    canvases = [replace(canvas, random_seed=seed) for seed in range(max(counts))]
    flops, peak = bench.flops(canvas), bench.peak_flops_per_s()
    say(f"A clip is {flops / 1e9:.1f} GFLOP; products of matrices reach {peak / 1e9:.0f} GFLOP/s.\n")
    say("| way | clips at once | steps/s | clips/s | × real time | share of the FLOP floor | memory, GB |")
    say("|---|---|---|---|---|---|---|")
    bench.clips_per_s(canvases[:1], 2)  # loads kernels

    def tell(way: str, count: int, clips: float) -> float:
        steps, share = clips * steps_of(canvas), clips * flops / peak
        rate = f"{steps:.1f} | {clips:.3g} | {clips * CLIP / 100:.1f} | {share:.1%}"
        say(f"| {way} | {count} | {rate} | {bench.peak_gb():.1f} |")
        return clips

    alone = tell("diffusers, one call each", 1, bench.diffusers_clips_per_s(canvases[:4]))
    together = {
        count: tell("steps of all together", count, bench.clips_per_s(canvases[:count], 2 * count))
        for count in counts
    }
    ratio = together[4] / alone
    return [Claim("clips/s of 4 at once, against diffusers", ratio, "> 1", ratio > 1)]


def _latency(bench: Bench) -> list[Claim]:
    """Poisson arrivals of clips of 4 to 40 steps, as strengths and requests differ."""
    chance, canvas = np.random.default_rng(1), canvas_of()
    canvases = [
        replace(
            canvas,
            steps=int(chance.choice((15, 30, 50))),
            denoising_strength=float(chance.choice((0.3, 0.5, 0.8))),
            random_seed=seed,
        )
        for seed in range(REQUESTS)
    ]
    for count in [*range(1, BATCH // 2 + 1)] * 3:
        bench.clips_per_s([canvas_of(steps=8)] * count, BATCH)
    full = [Request(0.0, canvas) for canvas in canvases]
    capacity = len(full) / max(bench.serve(full, BATCH, True, bench.pretend))
    arrivals = np.cumsum(chance.exponential(1 / (LOAD * capacity), len(canvases)))
    requests = [Request(float(at_s), canvas) for at_s, canvas in zip(arrivals, canvases, strict=True)]
    say(f"Whole requests, {BATCH // 2} at once, reach {capacity:.3g} clips/s; {LOAD:.0%} of that arrive.\n")
    say("| batching | p50, s | p95, s |\n|---|---|---|")
    tails = {}
    for way, whole in (("whole requests", True), ("steps", False)):
        middle, tails[way] = np.percentile(bench.serve(requests, BATCH, whole, bench.pretend), (50, 95))
        say(f"| {way} | {middle:.2f} | {tails[way]:.2f} |")
    ratio = float(tails["whole requests"] / tails["steps"])
    return [Claim("p95 of whole requests, against steps", ratio, "≥ 1.5", ratio >= 1.5)]


if __name__ == "__main__":
    sys.exit(main())
