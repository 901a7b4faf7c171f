"""Detects work that hangs, which means that it still runs long after its call's deadline.

A native call that never returns cannot be interrupted and holds its slot for ever. Only a new
process helps, so the watchdog reports the hang through the server's health.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from etbgm_kit.serving.runner import Runner, Running

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
"""Interval between two checks of the running work."""

OnHang = Callable[[bool], Awaitable[None]]
"""Called with True when work hangs, and with False once all hanging work has ended."""


class Watchdog:
    """Watches the work of runners."""

    def __init__(self, runners: Sequence[Runner], limit_s: float, grace_s: float, on_hang: OnHang) -> None:
        """Work hangs `grace_s` after its call's deadline; without one, `limit_s` after the start counts."""
        self._runners, self._limit_s, self._grace_s, self._on_hang = runners, limit_s, grace_s, on_hang
        self._hanging: set[Running] = set()

    async def watch(self) -> None:
        """Checks the work until the task is cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self._look(time.monotonic())

    async def _look(self, now: float) -> None:
        running = [work for runner in self._runners for work in runner.running]
        hanging = {work for work in running if now > self._end_of(work) + self._grace_s}
        for work in hanging - self._hanging:
            log.error("work hangs", extra=_facts(work, now))
        for work in self._hanging - hanging:
            log.warning("work that hung has ended", extra=_facts(work, now))
        had_hung, self._hanging = bool(self._hanging), hanging
        if had_hung != bool(hanging):
            await self._on_hang(bool(hanging))

    def _end_of(self, work: Running) -> float:
        ends_at = work.limits.ends_at
        return work.started_at + self._limit_s if ends_at is None else ends_at


def _facts(work: Running, now: float) -> dict[str, object]:
    return {"method": work.limits.method, "seconds": round(now - work.started_at, 1)}
