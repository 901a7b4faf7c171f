"""Cuts a stream into stretches, processes them on several cores, and joins the results.

A recurrent network needs a run-up to settle: each stretch starts RUN_UP samples early, and their
output is discarded. Results depend on the stream alone, not on the number of cores.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from etbgm_kit.media.vad import Mono
from etbgm_mixer.loudness import SAMPLE_RATE_HZ

RUN_UP = 2 * SAMPLE_RATE_HZ
STRETCH = 30 * SAMPLE_RATE_HZ
FADE = SAMPLE_RATE_HZ // 100
"""Samples over which neighbouring stretches are cross-faded."""

MOST_WORKERS = 4
"""Maximum number of stretches in memory: each takes tens of megabytes."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """`sound`, (samples,): [begin, begin + length) is the stretch itself, the rest run-up and follow-up."""

    sound: Mono
    begin: int
    length: int


def in_stretches(
    blocks: Iterable[Mono], follow_up: int, compute: Callable[[Stretch], Mono]
) -> Iterator[Mono]:
    """Yields what `compute` returns for the stretches of `blocks`, joined: as many samples as `blocks` has.

    `compute` runs in threads and returns the samples [begin, begin + length) of its stretch, which
    are followed by `follow_up` more samples (silence at the end of the stream).
    """
    workers = min(len(os.sched_getaffinity(0)), MOST_WORKERS)
    tail = np.zeros(0, np.float32)
    with ThreadPoolExecutor(workers) as threads:
        pending: deque[Future[Mono]] = deque()
        for stretch in _cut(blocks, follow_up):
            pending.append(threads.submit(compute, stretch))
            while len(pending) > workers:
                out, tail = _faded(tail, pending.popleft().result())
                yield out
        for future in pending:
            out, tail = _faded(tail, future.result())
            yield out


def _cut(blocks: Iterable[Mono], follow_up: int) -> Iterator[Stretch]:
    """All stretches but the last are STRETCH long, plus FADE samples that overlap with the next."""
    held = np.zeros(0, np.float32)
    run_up = 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= run_up + STRETCH + FADE + follow_up:
            yield Stretch(held[: run_up + STRETCH + FADE + follow_up], run_up, STRETCH + FADE)
            held = held[max(0, run_up + STRETCH - RUN_UP) :]
            run_up = RUN_UP
    yield Stretch(np.pad(held, (0, follow_up)), run_up, len(held) - run_up)


def _faded(tail: Mono, stretch: Mono) -> tuple[Mono, Mono]:
    """Returns the stretch, faded in over `tail`, without its last FADE samples; and those samples."""
    if len(tail):
        rise = np.linspace(0, 1, len(tail), dtype=np.float32)
        stretch[: len(tail)] = stretch[: len(tail)] * rise + tail * (1 - rise)
    keep = STRETCH if len(stretch) == STRETCH + FADE else len(stretch)
    return stretch[:keep], stretch[keep:]
