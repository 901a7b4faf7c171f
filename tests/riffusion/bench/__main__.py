"""Prints what is claimed of the music, and what was found.

usage: python -m tests.riffusion.bench [--seeds 20] [--draw 0] [--seconds 60] [--only GROUPS] [--detail]
Timelines and music made by people come from the folder that ETBGM_TEST_DATA names.
"""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.styles import STYLES
from tests.riffusion.bench import emotions, engine, speech, timelines, variety
from tests.riffusion.bench.pieces import piece_of
from tests.riffusion.bench.table import Claim, show

PROCESSES = 2

Job = TypeVar("Job")
Found = TypeVar("Found")


def main() -> int:
    """0 when every claim is met."""
    parser = argparse.ArgumentParser(prog="python -m tests.riffusion.bench", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many random seeds")
    parser.add_argument(
        "--draw", type=int, default=0, help="seed with which the emotions' random seeds are drawn"
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="length of each piece")
    parser.add_argument("--only", default=",".join(groups(0, 0, 0)), help="some groups of claims")
    parser.add_argument("--detail", action="store_true", help="name what failed")
    asked = parser.parse_args()
    known = groups(asked.draw, asked.seeds, asked.seconds)
    found = (claim for group in asked.only.split(",") for claim in known[group]())
    return 0 if show(found, asked.detail) else 1


def groups(draw: int, seeds: int, seconds: float) -> dict[str, Callable[[], Iterator[Claim]]]:
    """The groups of claims by name."""
    return {
        "emotions": partial(emotion_claims, drawn(draw, seeds), seconds),
        "timelines": partial(timeline_claims, seeds),
        "variety": partial(variety_claims, seeds, seconds),
        "speech": speech_claims,
        "engine": engine.claims,
    }


def drawn(draw: int, count: int) -> list[int]:
    """Draws random seeds: consecutive ones would combine each style with few bands and textures."""
    seeds: list[int] = np.random.default_rng(draw).integers(2**31, size=count).tolist()
    return seeds


def emotion_claims(seeds: Iterable[int], seconds: float) -> Iterator[Claim]:
    """Seven emotions; the random seed decides on the style."""
    pieces = [piece_of(emotion, seed, seconds) for emotion in Emotion for seed in seeds]
    yield from emotions.claims(_each(emotions.measure, pieces))


def timeline_claims(seeds: int) -> Iterator[Claim]:
    """MELD's development dialogues, all of them or four for each random seed."""
    if folder := _data():
        found = list(timelines.timelines(folder / "tv_text" / "meld" / "dev_sent_emo.csv"))
        yield from timelines.claims(_each(timelines.measure, list(enumerate(found))[: 4 * seeds]))


def variety_claims(seeds: int, seconds: float) -> Iterator[Claim]:
    """Repetition, self-similarity against people's music, and variants."""
    yield variety.repeats(max(1, seeds // 4), seconds)
    if folder := _data():
        jobs = [(emotion, seed) for emotion in Emotion for seed in range(max(1, seeds // 4))]
        human = variety.human_values(folder / "music")
        yield variety.within(_each(variety.self_similarity, jobs), human)
    yield from variety.variants(_each(variety.apart, list(range(max(1, seeds // 3)))))


def speech_claims() -> Iterator[Claim]:
    """Every emotion in every style."""
    yield from speech.claims(_each(speech.measure, [(s, emotion) for s in STYLES for emotion in Emotion]))


def _each(measure: Callable[[Job], Found], jobs: list[Job]) -> list[Found]:
    """In several processes, which are new ones: numerical libraries do not survive a fork."""
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        found = []
        for result in pool.imap(measure, jobs, chunksize=2):
            found.append(result)
            sys.stderr.write(f"\r{len(found)} of {len(jobs)}")
        sys.stderr.write("\n")
        return found


def _data() -> Path | None:
    folder = os.environ.get("ETBGM_TEST_DATA")
    if not folder:
        sys.stderr.write("ETBGM_TEST_DATA is not set: what needs it is left out\n")
    return Path(folder) if folder else None


if __name__ == "__main__":
    sys.exit(main())
