"""Decides which canvases are served next and which may join: pure, no thread.

As many canvases are active as one batch has places for, so each of them advances with every batch.
Canvases with more windows share the remaining places in turn. Others wait in order of arrival. Each
canvas has at least one place: a long canvas cannot block short ones, nor they it.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from etbgm_kit.errors import Busy
from etbgm_riffusion.diffusion.work import Stage, Work

RETRY_S = 5.0
"""Retry delay: a canvas of one clip takes seconds."""

ROWS_PER_IMAGE = 4
"""Coding a clip costs about as much as three or four rows of a step (2515 and 1117 against 803 GFLOP)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`rows` of one batch, >= 1 (two per window with guidance); `windows` in total, active and waiting."""

    rows: int = 8
    windows: int = 64


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of canvases that the model computes together: same stage, same adapters."""

    stage: Stage
    adapters: tuple[tuple[str, float], ...]
    places: tuple[tuple[Work, int], ...]

    def done(self) -> set[Work]:
        """Returns the canvases that have finished."""
        return {work for work, _ in self.places if work.outcome.done()}

    def parts(self) -> list["Batch"]:
        """Returns one batch for each canvas."""
        works = dict.fromkeys(work for work, _ in self.places)
        return [
            Batch(self.stage, self.adapters, tuple(place for place in self.places if place[0] is work))
            for work in works
        ]


class Line:
    """The active canvases, least recently served first, and the waiting ones."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._active: deque[Work] = deque()
        self._waiting: deque[Work] = deque()

    def __contains__(self, work: Work) -> bool:
        return work in self._active or work in self._waiting

    def __iter__(self) -> Iterator[Work]:
        return iter([*self._active, *self._waiting])

    def join(self, work: Work) -> None:
        """Adds `work`. Raises Busy if there are too many windows; a lone canvas may have any number."""
        windows = sum(other.windows for other in self)
        if windows and windows + work.windows > self._limits.windows:
            raise Busy(RETRY_S)
        self._waiting.append(work)
        self._fill_up()

    def leave(self, work: Work) -> None:
        """Frees the place of `work`, if it still has one."""
        for line in (self._active, self._waiting):
            if work in line:
                line.remove(work)
        self._fill_up()

    def next_batch(self) -> Batch | None:
        """Returns a batch that starts with the least recently served canvas; None if no canvas is active."""
        if not self._active:
            return None
        stage, adapters = _kind(self._active[0])
        mates = [work for work in self._active if _kind(work) == (stage, adapters)]
        places = tuple(self._places(mates, stage))
        served = {work for work, _ in places}
        self._active = deque(sorted(self._active, key=lambda work: work in served))
        return Batch(stage, adapters, places)

    def _places(self, mates: list[Work], stage: Stage) -> Iterator[tuple[Work, int]]:
        """Yields one window of each canvas in turn, until no more fit."""
        room = self._limits.rows
        while any(work.pending and self._cost(work, stage) <= room for work in mates):
            for work in mates:
                if work.pending and self._cost(work, stage) <= room:
                    room -= self._cost(work, stage)
                    yield work, work.pending.pop(0)

    def _cost(self, work: Work, stage: Stage) -> int:
        """Returns the rows that a window takes; one that needs more than a batch takes the whole batch."""
        return min(work.rows if stage is Stage.DENOISE else ROWS_PER_IMAGE, self._limits.rows)

    def _fill_up(self) -> None:
        taken = sum(work.rows for work in self._active)
        while self._waiting and (taken + self._waiting[0].rows <= self._limits.rows or not self._active):
            work = self._waiting.popleft()
            taken += work.rows
            self._active.append(work)


def _kind(work: Work) -> tuple[Stage, tuple[tuple[str, float], ...]]:
    """Returns what canvases must have in common to share a batch; the image coder uses no adapters."""
    return work.stage, work.adapters if work.stage is Stage.DENOISE else ()
