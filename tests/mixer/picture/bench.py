"""Measures the cuts found in films whose cuts are known, beside what others find, and the time it takes.

usage: python -m tests.mixer.picture.bench [--codings "x264;fixed 2 s"] [--large [--seconds 13]] [VIDEO…]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from etbgm_kit.types import CutKind
from etbgm_mixer.picture.look import BUDGET_PX_PER_S, look
from tests.mixer.picture.films import CODINGS, HEIGHT, RATE, WIDTH, Film, films, write
from tests.mixer.picture.footage import (
    LARGE_CODINGS,
    SIZE,
    Footage,
    drawn,
    footages,
    write_drawn,
    write_footage,
)
from tests.mixer.picture.rivals import rivals

UNIT = 1.01 / RATE
"""A cut is found if it is at most one picture away."""

NO_CUTS = ("flashes", "fast pans", "one shot", "pans and flashes")
"""Films whose false cuts are also counted by themselves."""


@dataclass
class Score:
    """What was found of the hard cuts: right, missed, wrong; and the length of the films in seconds."""

    right: int = 0
    missed: int = 0
    wrong: int = 0
    length_s: float = 0.0
    cpu_s: float = 0.0

    def add(self, found_s: Sequence[float], film: Film | Footage) -> None:
        """Compares with the film's hard cuts; what is found in a gradual one is not wrong."""
        hard = [number / RATE for number, kind in film.cuts if kind == "hard"]
        gradual = [number / RATE for number, kind in film.cuts if kind != "hard"]
        right = sum(any(abs(at - cut) <= UNIT for at in found_s) for cut in hard)
        self.right, self.missed = self.right + right, self.missed + len(hard) - right
        self.wrong += sum(
            not any(abs(at - cut) <= UNIT for cut in hard) and not any(abs(at - cut) < 1 for cut in gradual)
            for at in found_s
        )
        self.length_s += film.length_s

    def __str__(self) -> str:
        f1 = 2 * self.right / max(1, 2 * self.right + self.missed + self.wrong)
        return (
            f"F1 {f1:.3f}, missed {self.missed:2} of {self.right + self.missed}, "
            f"wrong {self.wrong:3} ({60 * self.wrong / self.length_s:.1f} a minute)"
        )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.mixer.picture.bench", description=__doc__)
    parser.add_argument("--codings", help="names, separated by semicolons")
    parser.add_argument("--large", action="store_true", help="films of 1920 × 1080")
    parser.add_argument("--seconds", type=float, help="shorten large moving films; ask no others")
    parser.add_argument("videos", nargs="*", type=Path, help="measure the time of these videos instead")
    asked = parser.parse_args()
    if asked.videos:
        for video in asked.videos:
            print(video.name, _speed(video))  # noqa: T201
        return
    if asked.large and not os.environ.get("ETBGM_TEST_DATA"):
        print("without real videos, because ETBGM_TEST_DATA is not set: fewer cuts, and harder ones")  # noqa: T201
    codings = LARGE_CODINGS if asked.large else CODINGS
    for coding in asked.codings.split(";") if asked.codings else codings:
        _measure(coding, asked.large, asked.seconds)


def _measure(coding: str, large: bool, seconds: float | None) -> None:
    ours, pans = Score(), Score()
    others: dict[str, Score] = {}
    decoding_s = 0.0
    with tempfile.TemporaryDirectory() as folder:
        made = _large(coding, Path(folder), seconds) if large else _small(coding, Path(folder))
        for film, path, pixels in made:
            began = time.process_time()
            cuts, _ = look(path, 0, 0.0, film.length_s, pixels, lambda _: None)
            took_s = time.process_time() - began
            decoding_s += _decoding_s(path)
            for score in [ours, pans] if film.name in NO_CUTS else [ours]:
                score.add([cut.time_s for cut in cuts if cut.kind is CutKind.HARD], film)
                score.cpu_s += took_s
            for name, found_s in ({} if seconds else rivals(path)).items():
                others.setdefault(name, Score()).add(found_s, film)
    print(  # noqa: T201
        f"{coding}: {ours}, {ours.length_s / ours.cpu_s:.0f} times real time; "
        f"decoding alone {ours.length_s / decoding_s:.0f}"
    )
    print(f"    flashes, fast pans, one long shot: {pans}")  # noqa: T201
    for name, score in others.items():
        print(f"    {name}: {score}")  # noqa: T201


Made = Iterator[tuple[Film | Footage, Path, int]]
"""Films, where they are written, and their pixels."""


def _small(coding: str, folder: Path) -> Made:
    for film in films():
        yield film, write(film, folder / "film.mkv", coding), WIDTH * HEIGHT


def _large(coding: str, folder: Path, seconds: float | None) -> Made:
    path, (width, height) = folder / "film.mkv", SIZE
    for footage in footages():
        short = footage.shortened(seconds) if seconds else footage
        yield short, write_footage(short, path, LARGE_CODINGS[coding]), width * height
    for film in () if seconds else drawn():
        yield film, write_drawn(film, path, LARGE_CODINGS[coding]), width * height


def _decoding_s(path: Path) -> float:
    """The CPU seconds that decoding every picture takes, in one thread."""
    began = time.process_time()
    with av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        for _ in container.decode(video=0):
            pass
    return time.process_time() - began


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
