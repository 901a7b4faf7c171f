"""One graph for many calls: what all calls in flight wait for is computed in common batches.

Token numbers wait in one line sorted by length. Batches are taken from it like a
lift goes: from the shortest to the longest, then from the start again, taking in on its
way what has come meanwhile. So the rows of a batch need little padding, whichever call
they belong to, and no row waits longer than one whole way. There is no thread and no
timer: a caller whose rows wait computes the next batch itself when nobody else does,
so a call that is alone never waits for company, and calls that come while a batch is
computed find each other in the next ones. The line is as bounded as the callers are:
each brings one block of phrases and waits for it.
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
    """Of one batch: at most `tokens` numbers, of which the share `padding`, [0, 1], may be padding."""

    tokens: int
    padding: float

    def allow(self, count: int, longest: int, total: int) -> bool:
        """Whether so many texts, so long together, may be one batch."""
        tokens = count * longest
        return tokens <= self.tokens and tokens - total <= self.padding * tokens


@dataclass(eq=False)
class _Call:
    """What one caller waits for."""

    result: Probabilities
    missing: int
    error: Exception | None = None


@dataclass(order=True, frozen=True)
class _Row:
    """One text in the line; equally long ones in order of arrival."""

    length: int
    arrival: int
    ids: Ids = field(compare=False)
    call: _Call = field(compare=False)
    index: int = field(compare=False)


class Batcher:
    """Runs `run`, one batch at a time, each within `limits` unless it is a single text."""

    def __init__(self, run: Callable[[list[Ids]], Probabilities], limits: Limits) -> None:
        self._run, self._limits = run, limits
        self._changed = threading.Condition()
        self._line: list[_Row] = []
        self._arrivals = count()
        self._reached = 0
        self._busy = False

    def __len__(self) -> int:
        """Texts that wait."""
        return len(self._line)

    def classify(self, texts: Sequence[Ids]) -> Probabilities:
        """The rows of `texts`, (n, 7); blocks; from any thread. Raises what `run` raises."""
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
        """The next rows on the way up that fit together; at least one."""
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
        """Where a batch fails, each call is tried alone: what is wrong with one is not the others' fault."""
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
            except Exception as error:  # handed to the callers whose rows these are
                return error
        for row, probabilities in zip(batch, rows, strict=True):
            row.call.result[row.index] = probabilities
            row.call.missing -= 1
        return None

    @contextmanager
    def _unlocked(self) -> Iterator[None]:
        """Others may join the line meanwhile, but nobody else computes."""
        self._busy = True
        self._changed.release()
        try:
            yield
        finally:
            self._changed.acquire()
            self._busy = False
            self._changed.notify_all()
