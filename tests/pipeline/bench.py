"""Measures the main job: time and memory against the video's length.

usage: python bench.py [VIDEO] [MINUTES]

Runs a job with 4 variants on VIDEO (the first vlog of ETBGM_TEST_DATA, else the demo's
video), then, each with 2 variants, on VIDEO and on VIDEO looped to MINUTES (default
60; 0 leaves this out). Every job has a fresh server and a fresh store.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.pipeline import measure
from tests.pipeline.conftest import ETBGM

POLL_S = 0.2


@dataclass
class Run:
    """What one job took: wall seconds, seconds by stage, peak resident MB by process."""

    length_s: float
    wall_s: float = 0.0
    stages_s: dict[str, float] = field(default_factory=dict)
    peaks_mb: dict[str, float] = field(default_factory=dict)


def run_job(video: Path, variants: int, folder: Path) -> Run:
    """One job on a server of its own; the clock starts when the server is ready."""
    command = [ETBGM, "serve", "--listen", "127.0.0.1:0", "--data", folder / "data"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            line = server.stdout.readline() if server.stdout else ""
            address = re.findall(r"listens on (\S+);", line)[0]
            run = Run(measure.duration_s(video))
            started = time.monotonic()
            options = ["--variants", str(variants), "--gateway", address]
            with subprocess.Popen(
                [ETBGM, "run", video, "-o", folder / f"out{video.suffix}", *options]
            ) as job:
                while job.poll() is None:
                    note_peaks(server.pid, run.peaks_mb)
                    time.sleep(POLL_S)
            run.wall_s = time.monotonic() - started
        finally:
            server.terminate()
    stages = json.loads((folder / "out/report.json").read_text())["stages"]
    run.stages_s = {stage["stage"]: stage["wall_s"] for stage in stages}
    return run


def note_peaks(pid: int, peaks_mb: dict[str, float]) -> None:
    """Raises `peaks_mb` to the high-water marks (VmHWM) of the descendants of `pid`."""
    for process in psutil.Process(pid).children(recursive=True):
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
            arguments = process.cmdline()
        except (OSError, psutil.Error):
            continue
        name = arguments[2] if arguments[1:2] == ["-m"] else Path(arguments[0]).name if arguments else "?"
        found = re.search(r"VmHWM:\s+(\d+)", status)
        if found:
            peaks_mb[name] = max(peaks_mb.get(name, 0.0), int(found[1]) / 1024)


def show(title: str, run: Run) -> None:
    """Prints one run."""
    out = sys.stdout.write
    share = run.wall_s / run.length_s
    out(f"\n{title}: {run.length_s:.1f} s of video in {run.wall_s:.1f} s ({share:.3f} of it)\n")
    for name, stage_s in run.stages_s.items():
        out(f"  {name:<11} {stage_s:7.1f} s  {stage_s / run.wall_s:5.1%}\n")
    for name, peak_mb in sorted(run.peaks_mb.items()):
        out(f"  peak memory {name:<18} {peak_mb:6.0f} MB\n")


def looped(video: Path, minutes: float, folder: Path) -> Path:
    """The video repeated to `minutes`, without coding it again."""
    output = folder / f"long{video.suffix}"
    times = round(minutes * 60 / measure.duration_s(video)) - 1
    command = ["ffmpeg", "-v", "error", "-stream_loop", str(times), "-i", video, "-c", "copy", output]
    subprocess.run(command, check=True)
    return output


def main() -> None:
    """Runs and prints everything."""
    data = os.environ.get("ETBGM_TEST_DATA")
    default = f"{data}/vlog/vlog_o1_lj_music.mp4" if data else "build/demo/input.mp4"
    video = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 60.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show("4 variants", run_job(video, 4, folder / "four"))
        if not minutes:
            return
        short = run_job(video, 2, folder / "short")
        show("2 variants", short)
        long = run_job(looped(video, minutes, folder), 2, folder / "long")
        show(f"2 variants, {minutes:.0f} minutes", long)
        growth = (long.wall_s / long.length_s) / (short.wall_s / short.length_s)
        sys.stdout.write(f"\nlong against short: {growth:.2f} times the time per second of video; memory")
        for process, peak_mb in sorted(long.peaks_mb.items()):
            if process in short.peaks_mb:
                sys.stdout.write(f"  {process} {peak_mb / short.peaks_mb[process]:.2f}x")
        sys.stdout.write("\n")


if __name__ == "__main__":
    main()
