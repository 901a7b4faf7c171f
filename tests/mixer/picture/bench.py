"""Measures the cuts found in films whose cuts are known, beside ffmpeg's scene filter, and the time it takes.

usage: python -m tests.mixer.picture.bench [--codings "x264,fixed 2 s"] [--scale 1] [VIDEO…]
"""

import argparse
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from etbgm_kit.types import CutKind
from etbgm_mixer.picture.look import BUDGET_PX_PER_S, look
from tests.mixer.picture.films import CODINGS, HEIGHT, RATE, WIDTH, Film, films, write

UNIT = 1.01 / RATE
"""A cut is found if it is at most one picture away."""

THRESHOLDS = (5, 10, 15, 20)
"""Of ffmpeg's filter scdet, whose default is 10."""


@dataclass
class Score:
    """What was found of the hard cuts: right, missed, wrong; and the length of the films in seconds."""

    right: int = 0
    missed: int = 0
    wrong: int = 0
    length_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, found_s: Sequence[float], film: Film) -> None:
        """Compares with the film's hard cuts; what is found in a gradual one is not wrong."""
        hard = [number / RATE for number, kind in film.cuts if kind == "hard"]
        gradual = [number / RATE for number, kind in film.cuts if kind != "hard"]
        right = sum(any(abs(at - cut) <= UNIT for at in found_s) for cut in hard)
        self.right, self.missed = self.right + right, self.missed + len(hard) - right
        self.wrong += sum(
            not any(abs(at - cut) <= UNIT for cut in hard) and not any(abs(at - cut) < 1 for cut in gradual)
            for at in found_s
        )
        self.length_s += len(film.frames) / RATE

    def __str__(self) -> str:
        f1 = 2 * self.right / max(1, 2 * self.right + self.missed + self.wrong)
        return (
            f"F1 {f1:.3f}, missed {self.missed:2} of {self.right + self.missed}, "
            f"wrong {self.wrong:3} ({60 * self.wrong / self.length_s:.1f} a minute)"
        )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mixer.picture.bench", description=__doc__)
    parser.add_argument("--codings", default=",".join(CODINGS))
    parser.add_argument("--scale", type=int, default=1, help=f"1 is {WIDTH} × {HEIGHT}, 6 is 1080p")
    parser.add_argument("videos", nargs="*", type=Path, help="measure the time of these videos instead")
    asked = parser.parse_args()
    if asked.videos:
        for video in asked.videos:
            print(video.name, _speed(video))  # noqa: T201
        return
    for coding in asked.codings.split(","):
        _measure(coding, asked.scale)


def _measure(coding: str, scale: int) -> None:
    ours, pans = Score(), Score()
    others = {threshold: Score() for threshold in THRESHOLDS}
    for film in films():
        with tempfile.TemporaryDirectory() as folder:
            path = write(film, Path(folder) / "film.mkv", coding, scale)
            length_s = len(film.frames) / RATE
            began = time.process_time()
            cuts, _ = look(path, 0, 0.0, length_s, WIDTH * HEIGHT * scale**2, lambda _: None)
            took_s = time.process_time() - began
            scores = [ours, pans] if film.name in ("flashes", "fast pans", "one shot") else [ours]
            for score in scores:
                score.add([cut.time_s for cut in cuts if cut.kind is CutKind.HARD], film)
                score.cpu_s += took_s
            for threshold, found_s in _scene_filter(path).items():
                others[threshold].add(found_s, film)
    print(f"{coding}: {ours}, {ours.length_s / ours.cpu_s:.0f} times real time")  # noqa: T201
    print(f"    flashes, fast pans, one long shot: {pans}")  # noqa: T201
    for threshold, score in others.items():
        print(f"    ffmpeg scdet, threshold {threshold}: {score}")  # noqa: T201


def _scene_filter(path: Path) -> dict[int, list[float]]:
    """The times at which ffmpeg's filter sees a scene change, by threshold."""
    command = [
        "ffmpeg",
        "-v",
        "info",
        "-i",
        str(path),
        "-vf",
        f"scdet=t={min(THRESHOLDS)}",
        "-f",
        "null",
        "-",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found = re.findall(r"lavfi.scd.score: ([\d.]+), lavfi.scd.time: ([\d.]+)", said)
    return {t: [float(at) for score, at in found if float(score) >= t] for t in THRESHOLDS}


def _speed(video: Path) -> str:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        pixels = stream.codec_context.width * stream.codec_context.height
        length_s, index = float(container.duration or 0) / av.time_base, stream.index
    began = time.process_time()
    cuts, _ = look(video, index, 0.0, length_s, pixels, lambda _: None, BUDGET_PX_PER_S)
    took_s = time.process_time() - began
    return (
        f"{length_s:.1f} s, {len(cuts)} cuts in {took_s:.2f} CPU s: {length_s / took_s:.0f} times real time"
    )


if __name__ == "__main__":
    main()
