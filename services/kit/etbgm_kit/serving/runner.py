"""Blocking work behind an asynchronous server: slots, waiting places, progress, cancel."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Generic, TypeVar

from etbgm_kit.errors import Busy, CallCancelled, NotReady

Result = TypeVar("Result")
Update = TypeVar("Update")

RETRY_AFTER_S = 0.5
"""What a refused caller is asked to wait: short against any call, long against the wire."""


slot_wait_s: ContextVar[float | None] = ContextVar("slot_wait_s", default=None)
"""How long the call that is being answered waits for a slot before it is refused; None: without bound."""


@dataclass(frozen=True)
class Finished(Generic[Result]):
    """The last thing a run yields: its value and where the time went, in seconds."""

    value: Result
    queue_s: float
    inference_s: float


class Runner:
    """Runs blocking work in threads: `slots` at a time, `waiting` more in line.

    Refuses further work with Busy, since a long queue inside a server strands
    requests behind a slow one while its neighbours are idle; so is work whose
    `slot_wait_s` ends before its turn comes. Until `open` is called all work is
    refused with NotReady.
    """

    def __init__(self, slots: int, waiting: int) -> None:
        self.slots = slots
        """Calls that may run at the same time."""
        self._slots = asyncio.Semaphore(slots)
        self._room = slots + waiting
        self._inside = 0
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="work")
        self._open = False

    def open(self) -> None:
        """From now on work is taken."""
        self._open = True

    @property
    def inside(self) -> int:
        """Calls that run or wait."""
        return self._inside

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if not self._open:
            raise NotReady
        if self._inside >= self._room:
            raise Busy(RETRY_AFTER_S)
        self._inside += 1
        try:
            await self._turn()
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._inside -= 1

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(slot_wait_s.get()):
                await self._slots.acquire()
        except TimeoutError:
            raise Busy(RETRY_AFTER_S) from None

    async def run(
        self, work: Callable[[Callable[[Update], None]], Result]
    ) -> AsyncIterator[Update | Finished[Result]]:
        """Runs `work(on_progress)` and yields what it reports, then Finished.

        `on_progress` may be called from the worker thread at any rate. It raises
        CallCancelled once the caller has left, so work that reports often stops
        soon; the slot is free again when the work has really ended. Raises Busy,
        NotReady, and what `work` raises.
        """
        arrived = time.monotonic()
        async with self._slot():
            started = time.monotonic()
            loop = asyncio.get_running_loop()
            updates: asyncio.Queue[Update | None] = asyncio.Queue()
            cancelled = threading.Event()

            def on_progress(update: Update) -> None:
                if cancelled.is_set():
                    raise CallCancelled
                loop.call_soon_threadsafe(updates.put_nowait, update)

            done = loop.run_in_executor(self._threads, work, on_progress)
            done.add_done_callback(lambda _: updates.put_nowait(None))
            try:
                while (update := await updates.get()) is not None:
                    yield update
                value = await done
            finally:
                cancelled.set()
                await asyncio.wait([done])
                done.exception()
            yield Finished(value, started - arrived, time.monotonic() - started)

    def close(self) -> None:
        """Ends the threads; call when nothing runs any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
