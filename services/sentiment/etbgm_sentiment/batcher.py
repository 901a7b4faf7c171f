"""Runs one graph for many calls: the texts of all calls in flight share batches.

Token numbers wait in one queue sorted by length. Batches are taken from it like an
elevator moves: from the shortest to the longest, then from the start again, including
rows that arrived meanwhile. The rows of a batch therefore need little padding, whichever
calls they belong to, and no row waits longer than one full pass. There is no thread and
no timer: a waiting caller computes the next batch itself if no other caller does. A
single call therefore never waits for others, and calls that arrive during a batch share
the next ones. The number of callers bounds the queue: each adds one block of phrases
and waits for it.
"""

import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from etbgm_kit.types import Emotion
from etbgm_sentiment.types import Probabilities

Ids = Sequence[int]
"""Token numbers of one text."""


@dataclass(frozen=True)
class Limits:
    """Limits of one batch: at most `tokens` numbers, with at most the share `padding`, [0, 1], of padding."""

    tokens: int
    padding: float

    def allow(self, count: int, longest: int, total: int) -> bool:
        """Whether `count` texts of `total` tokens, the longest of `longest`, may form one batch."""
        tokens = count * longest
        return tokens <= self.tokens and tokens - total <= self.padding * tokens


@dataclass(eq=False)
class _Call:
    """The pending result of one caller."""

    result: Probabilities
    missing: int
    error: Exception | None = None


@dataclass(order=True, frozen=True)
class _Row:
    """One text in the queue; texts of equal length keep their order of arrival."""

    length: int
    arrival: int
    ids: Ids = field(compare=False)
    call: _Call = field(compare=False)
    index: int = field(compare=False)


class Batcher:
    """Calls `run` for one batch at a time, each within `limits` unless it is a single text."""

    def __init__(self, run: Callable[[list[Ids]], Probabilities], limits: Limits) -> None:
        self._run, self._limits = run, limits
        self._changed = threading.Condition()
        self._line: list[_Row] = []
        self._arrivals = count()
        self._reached = 0
        self._busy = False

    def __len__(self) -> int:
        """The number of waiting texts."""
        return len(self._line)

    def classify(self, texts: Sequence[Ids]) -> Probabilities:
        """Returns the rows of `texts`, (n, 7). Blocks; thread-safe. Raises what `run` raises."""
        call = _Call(np.zeros((len(texts), len(Emotion)), np.float32), len(texts))
        with self._changed:
            for index, ids in enumerate(texts):
                insort(self._line, _Row(len(ids), next(self._arrivals), ids, call, index))
            while call.missing and not call.error:
                if self._busy:
                    self._changed.wait()
                else:
                    self._compute(self._next_batch())
        if call.error:
            raise call.error
        return call.result

    def _next_batch(self) -> list[_Row]:
        """Takes the next rows of the current pass that fit together, at least one."""
        start = bisect_left(self._line, self._reached, key=lambda row: row.length)
        if start == len(self._line):
            start = 0
        total, end = self._line[start].length, start + 1
        while end < len(self._line):
            longest = self._line[end].length
            total += longest
            if not self._limits.allow(end + 1 - start, longest, total):
                break
            end += 1
        batch = self._line[start:end]
        del self._line[start:end]
        self._reached = batch[-1].length if self._line else 0
        return batch

    def _compute(self, batch: list[_Row]) -> None:
        """Computes the batch; if it fails, retries each call alone, so that one cannot fail the others."""
        error = self._attempt(batch)
        calls = {row.call for row in batch} if error else set()
        for call in calls:
            if len(calls) > 1:
                error = self._attempt([row for row in batch if row.call is call])
            if error:
                call.error = error
                self._line = [row for row in self._line if row.call is not call]

    def _attempt(self, batch: list[_Row]) -> Exception | None:
        with self._unlocked():
            try:
                rows = self._run([row.ids for row in batch])
            except Exception as error:  # raised again in the callers that own these rows
                return error
        for row, probabilities in zip(batch, rows, strict=True):
            row.call.result[row.index] = probabilities
            row.call.missing -= 1
        return None

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        """Releases the lock: other callers may add rows meanwhile, but none computes."""
        self._busy = True
        self._changed.release()
        try:
            yield
        finally:
            self._changed.acquire()
            self._busy = False
            self._changed.notify_all()
