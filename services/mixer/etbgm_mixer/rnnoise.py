"""Speech enhancement by RNNoise.

J.-M. Valin, "A hybrid DSP/deep learning approach to real-time full-band speech
enhancement", MMSP 2018; BSD-3-Clause. The library comes with the pyrnnoise wheel and
is called directly, because the wheel's own wrapper works on 16-bit files. Calls release
the interpreter's lock, so several cores enhance stretches of sound in parallel. Each
stretch has a run-up in which the network settles.
"""

import ctypes
import importlib.util
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from etbgm_kit.artifacts.hashes import sha256_of
from etbgm_kit.media.vad import Mono
from etbgm_mixer.loudness import SAMPLE_RATE_HZ

FRAME = 480
DELAY = 960
"""Delay of the library's output in samples (measured)."""

FULL_SCALE = 32768.0
MOST_WORKERS = 4
"""More workers hold more stretches in memory: 64 would take 800 MB (measured)."""

RUN_UP = 2 * SAMPLE_RATE_HZ
STRETCH = 20 * SAMPLE_RATE_HZ
FADE = FRAME
"""Samples over which neighbouring stretches are cross-faded."""


class Rnnoise:
    """The library, loaded once. Raises RuntimeError if pyrnnoise is missing."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("pyrnnoise")
        if spec is None or spec.origin is None:
            raise RuntimeError("the package pyrnnoise, which carries RNNoise, is missing")
        file = Path(spec.origin).with_name("librnnoise.so")
        self._library = ctypes.CDLL(str(file))
        self.sha256 = sha256_of(file)
        """SHA-256 of the library, which contains the network."""
        self._library.rnnoise_create.restype = ctypes.c_void_p
        self._library.rnnoise_create.argtypes = [ctypes.c_void_p]
        self._library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
        self._library.rnnoise_process_frame.restype = ctypes.c_float
        self._library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3

    def enhance(self, blocks: Iterable[Mono]) -> Iterator[Mono]:
        """Yields the speech in `blocks`, (samples,) float32 at 48 kHz, without delay and equally long.

        Holds a few stretches of 20 s in memory.
        """
        workers = min(len(os.sched_getaffinity(0)), MOST_WORKERS)
        tail = np.zeros(0, np.float32)
        with ThreadPoolExecutor(workers) as threads:
            pending: deque[Future[Mono]] = deque()
            for stretch in _stretches(blocks):
                pending.append(threads.submit(self._enhance, *stretch))
                while len(pending) > workers:
                    out, tail = _faded(tail, pending.popleft().result())
                    yield out
            for future in pending:
                out, tail = _faded(tail, future.result())
                yield out

    def _enhance(self, sound: Mono, run_up: int, length: int) -> Mono:
        """Returns the samples [run_up, run_up + length) of `sound`, enhanced."""
        needed = -(-(run_up + length + DELAY) // FRAME) * FRAME
        frames = np.zeros(needed, np.float32)
        frames[: len(sound)] = sound * FULL_SCALE
        state = self._library.rnnoise_create(None)
        try:
            address = frames.ctypes.data
            for offset in range(0, needed * 4, FRAME * 4):
                self._library.rnnoise_process_frame(state, address + offset, address + offset)
        finally:
            self._library.rnnoise_destroy(state)
        begin = run_up + DELAY
        return frames[begin : begin + length] / np.float32(FULL_SCALE)


def _stretches(blocks: Iterable[Mono]) -> Iterator[tuple[Mono, int, int]]:
    """Yields (sound, length of the run-up, length of the stretch with its fade).

    `sound` includes the run-up and the samples after the stretch. The last stretch has no fade.
    """
    held = np.zeros(0, np.float32)
    run_up = 0
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= run_up + STRETCH + FADE + DELAY:
            yield held[: run_up + STRETCH + FADE + DELAY], run_up, STRETCH + FADE
            held = held[max(0, run_up + STRETCH - RUN_UP) :]
            run_up = RUN_UP
    yield held, run_up, len(held) - run_up


def _faded(tail: Mono, stretch: Mono) -> tuple[Mono, Mono]:
    """Cross-fades `tail` into the stretch; returns the stretch without its last FADE samples, and these."""
    if len(tail):
        rise = np.linspace(0, 1, len(tail), dtype=np.float32)
        stretch[: len(tail)] = stretch[: len(tail)] * rise + tail * (1 - rise)
    keep = STRETCH if len(stretch) == STRETCH + FADE else len(stretch)
    return stretch[:keep], stretch[keep:]
