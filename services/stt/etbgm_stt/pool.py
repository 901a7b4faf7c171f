"""Runs decoders in processes to use all cores."""

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from etbgm_kit.errors import NotReady
from etbgm_kit.types import Word
from etbgm_stt import decoding


class DecoderPool:
    """`size` processes with one decoder each; they start in `load` and end with this process."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._replacing = threading.Lock()
        self._processes = self._fresh()

    def load(self) -> None:
        """Blocks until all decoders have loaded their model."""
        for loaded in [self._processes.submit(decoding.ready) for _ in range(self.size)]:
            loaded.result()

    def decode(self, pcm: bytes) -> Future[list[Word]]:
        """Starts `decoding.decode(pcm)` in a process."""
        return self._processes.submit(decoding.decode, pcm)

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Wraps calls of `decode` and their results; replaces all processes if one died.

        The kernel may kill a process that is out of memory, and a decoder may crash. The
        caller gets NotReady and can retry.
        """
        processes = self._processes
        try:
            yield
        except BrokenProcessPool as error:
            with self._replacing:
                if self._processes is processes:
                    self._processes = self._fresh()
            raise NotReady from error

    def close(self) -> None:
        """Ends the processes once they have finished their current piece."""
        self._processes.shutdown(cancel_futures=True)

    def _fresh(self) -> ProcessPoolExecutor:
        # Spawned, because forking a process with gRPC threads is unsafe.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.size, mp_context=context, initializer=decoding.start)
