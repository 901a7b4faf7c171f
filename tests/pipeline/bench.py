"""Measures the main job: processor time, time and memory against the video's length.

usage: python -m tests.pipeline.bench [VIDEO] [MINUTES]
       python -m tests.pipeline.bench --picture [VIDEO]

Runs a job with 4 variants on VIDEO (the first vlog of ETBGM_TEST_DATA, else the demo's
video), one with 1 variant and remixes of it, then, each with 2 variants, on VIDEO and on
VIDEO looped to MINUTES (default 60; 0 leaves this out). --picture runs pairs of jobs instead,
with and without looking at the picture. Every job has a fresh server and a fresh store. Processor
time is what the kernel accounts to the server's processes and their children, so other load on
the machine matters less to it than to wall time.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.riffusion.v1.riffusion_pb2 import HITS_OFF
from etbgm_client import Client
from tests.pipeline import measure
from tests.pipeline.conftest import ETBGM

POLL_S = 0.05

PAIRS = 3
"""Jobs with and without the picture, in turn."""

REMIXES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("another loudness", {"settings": {"mix": {"target_loudness_lufs": -17}}}),
    (
        "another emotion for 10 s",
        {"spans": [{"span": {"start": {"seconds": 30}, "end": {"seconds": 40}}, "emotion": "EMOTION_FEAR"}]},
    ),
)
"""What is changed in a finished job, as fields of RemixJobRequest."""


@dataclass
class Usage:
    """What a process and its descendants have used: seconds of processor time over time, peaks in MB."""

    pid: int
    times_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    peaks_mb: dict[str, float] = field(default_factory=dict)

    def note(self) -> None:
        """Takes one sample."""
        root = psutil.Process(self.pid)
        cpu_s = 0.0
        for process in (root, *root.children(recursive=True)):
            try:
                cpu_s += sum(process.cpu_times()[:4])  # own and, of children that have ended, user and system
                self._note_peak(process)
            except (OSError, psutil.Error):
                continue
        self.times_s.append(time.time())
        self.cpu_s.append(max(cpu_s, self.cpu_s[-1] if self.cpu_s else 0.0))

    def _note_peak(self, process: psutil.Process) -> None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        if found := re.search(r"VmHWM:\s+(\d+)", status):
            name = process.name()
            self.peaks_mb[name] = max(self.peaks_mb.get(name, 0.0), int(found[1]) / 1024)

    def between(self, start_s: float, end_s: float) -> float:
        """Seconds of processor time used between two instants of the clock `time.time`."""
        start, end = np.interp([start_s, end_s], self.times_s, self.cpu_s)
        return float(end - start)


@dataclass(frozen=True)
class Stage:
    """Seconds that one stage took."""

    name: str
    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Remix:
    """Seconds until a remix was heard, as an excerpt or a variant's preview, and until its end."""

    name: str
    heard_s: float
    wall_s: float


@dataclass(frozen=True)
class Run:
    """What one job took; starting the server took `start_cpu_s` and `start_s`."""

    length_s: float
    start_s: float
    start_cpu_s: float
    wall_s: float
    stages: list[Stage]
    peaks_mb: dict[str, float]
    remixes: list[Remix]

    @property
    def cpu_s(self) -> float:
        """Processor time of all stages."""
        return sum(stage.cpu_s for stage in self.stages)


@contextmanager
def watched(pid: int) -> Iterator[Usage]:
    """Samples the usage of `pid` until the context ends."""
    usage, over = Usage(pid), threading.Event()

    def watch() -> None:
        while not over.wait(POLL_S):
            usage.note()

    usage.note()
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield usage
    finally:
        over.set()
        thread.join()


def run_job(video: Path, variants: int, folder: Path, **settings: Any) -> Run:
    """One job on a server of its own; its clock starts when the server is ready.

    `settings` are further fields of JobSettings.
    """
    wanted = pb.JobSettings(variants=variants, **settings)
    begun = time.monotonic()
    command = [ETBGM, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            with watched(server.pid) as usage:
                line = server.stdout.readline() if server.stdout else ""
                started = time.monotonic()
                usage.note()
                start_cpu_s = usage.cpu_s[-1]
                key = (folder / "data/key").read_text().strip()
                with Client(re.findall(r"listens on (\S+);", line)[0], key) as client:
                    job = client.create_job(client.upload(video), wanted)
                    job = client.wait(job.job_id)
                    client.fetch(job.result, folder / "out")
                    wall_s = time.monotonic() - started
                    remixes = [remix(client, job.job_id, *each) for each in REMIXES] if variants == 1 else []
        finally:
            server.terminate()
    stages = [stage_of(stage, usage) for stage in job.stages]
    length_s = measure.duration_s(video)
    return Run(length_s, started - begun, start_cpu_s, wall_s, stages, usage.peaks_mb, remixes)


def remix(client: Client, job_id: str, name: str, changed: dict[str, Any]) -> Remix:
    """Remixes a finished job."""
    begun, heard_s = time.monotonic(), 0.0
    started = client.remix_job(pb.RemixJobRequest(job_id=job_id, **changed))
    for job in client.watch(started.job_id):
        if not heard_s and (job.previews or job.HasField("excerpt")):
            heard_s = time.monotonic() - begun
    assert job.state == pb.STATE_SUCCEEDED, job.error
    return Remix(name, heard_s, time.monotonic() - begun)


def stage_of(stage: pb.StageProgress, usage: Usage) -> Stage:
    """The stage's times; what else the server does meanwhile counts too."""
    start_s, end_s = (moment.ToNanoseconds() * 1e-9 for moment in (stage.start_time, stage.end_time))
    name = pb.Stage.Name(stage.stage).removeprefix("STAGE_")
    return Stage(name, end_s - start_s, usage.between(start_s, end_s))


def show(title: str, run: Run) -> None:
    """Prints one run."""
    out, share = sys.stdout.write, run.wall_s / run.length_s
    out(f"\n{title}: {run.length_s:.1f} s of video in {run.wall_s:.1f} s, {share:.3f} of it")
    out(f"\n  {'':<11} {'wall s':>8} {'CPU s':>8} {'CPU s per s of video':>21}\n")
    out(f"  {'start-up':<11} {run.start_s:8.1f} {run.start_cpu_s:8.1f}\n")
    for stage in run.stages:
        out(f"  {stage.name:<11} {stage.wall_s:8.1f} {stage.cpu_s:8.1f} {stage.cpu_s / run.length_s:21.3f}\n")
    walls_s = sum(stage.wall_s for stage in run.stages)
    out(f"  {'all stages':<11} {walls_s:8.1f} {run.cpu_s:8.1f} {run.cpu_s / run.length_s:21.3f}\n")
    for each in run.remixes:
        out(f"  remix with {each.name}: heard after {each.heard_s:.1f} s, all after {each.wall_s:.1f} s\n")
    for name, peak_mb in sorted(run.peaks_mb.items()):
        out(f"  peak memory {name:<18} {peak_mb:6.0f} MB\n")
    sys.stdout.flush()


def looped(video: Path, minutes: float, folder: Path) -> Path:
    """The video repeated to `minutes`, without coding it again."""
    output = folder / f"long{video.suffix}"
    times = round(minutes * 60 / measure.duration_s(video)) - 1
    command = ["ffmpeg", "-v", "error", "-stream_loop", str(times), "-i", video, "-c", "copy", output]
    subprocess.run(command, check=True)
    return output


def compare_pictures(video: Path, folder: Path) -> None:
    """Prints what looking at the picture costs a job with 4 variants: medians of PAIRS pairs."""
    more_cpu, more_wall = [], []
    for number in range(PAIRS):
        seen = run_job(video, 4, folder / f"{number}-seen")
        other = run_job(video, 4, folder / f"{number}-unseen", ignore_picture=True, hits=HITS_OFF)
        more_cpu.append(seen.cpu_s / other.cpu_s - 1)
        more_wall.append(seen.wall_s / other.wall_s - 1)
        sys.stdout.write(f"with the picture {seen.cpu_s:.1f} CPU s, {seen.wall_s:.1f} s; ")
        sys.stdout.write(f"without {other.cpu_s:.1f} CPU s, {other.wall_s:.1f} s\n")
    sys.stdout.write(
        f"the picture adds {median(more_cpu):+.1%} of CPU time, {median(more_wall):+.1%} of time\n"
    )


def main() -> None:
    """Runs and prints everything."""
    data = os.environ.get("ETBGM_TEST_DATA")
    default = f"{data}/vlog/vlog_o1_lj_music.mp4" if data else "build/demo/input.mp4"
    parser = argparse.ArgumentParser(prog="python -m tests.pipeline.bench")
    parser.add_argument("video", nargs="?", type=Path, default=Path(default))
    parser.add_argument("minutes", nargs="?", type=float, default=60.0)
    parser.add_argument("--picture", action="store_true", help="run pairs with and without the picture")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if asked.picture:
            compare_pictures(asked.video, Path(name))
        else:
            show_all(asked.video, asked.minutes, Path(name))


def show_all(video: Path, minutes: float, folder: Path) -> None:
    """Runs and prints jobs with 4, 1 and 2 variants, and a long one."""
    show("4 variants", run_job(video, 4, folder / "four"))
    show("1 variant", run_job(video, 1, folder / "one"))
    if not minutes:
        return
    short = run_job(video, 2, folder / "short")
    show("2 variants", short)
    long = run_job(looped(video, minutes, folder), 2, folder / "long")
    show(f"2 variants, {minutes:.0f} minutes", long)
    growth = (long.cpu_s / long.length_s) / (short.cpu_s / short.length_s)
    sys.stdout.write(f"\nlong against short: {growth:.2f} times the CPU time per second of video; memory")
    for process, peak_mb in sorted(long.peaks_mb.items()):
        if process in short.peaks_mb:
            sys.stdout.write(f"  {process} {peak_mb / short.peaks_mb[process]:.2f}x")
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
