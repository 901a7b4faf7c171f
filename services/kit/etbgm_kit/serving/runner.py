"""Runs blocking work for an asynchronous server: slots, waiting places, progress, cancellation."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from etbgm_kit.errors import Busy, CallCancelled, NotReady

Result = TypeVar("Result")
Update = TypeVar("Update")

RETRY_AFTER_S = 0.5
"""Retry delay for a refused caller: short compared to a call, long compared to network latency."""

WORK_END_S = 5.0
"""How long `close` waits for cancelled work to end. Work that reports progress ends sooner."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """The limits that a caller sets for its call.

    `ends_at` is the call's deadline (`time.monotonic`), None without one; `slot_wait_s` is how long
    the call waits for a slot before it is refused, None for no limit.
    """

    method: str = ""
    ends_at: float | None = None
    slot_wait_s: float | None = None


_UNLIMITED = CallLimits()
call_limits: ContextVar[CallLimits] = ContextVar("call_limits", default=_UNLIMITED)
"""The limits of the current call."""


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """Work in a thread: its start time (`time.monotonic`) and the limits of its call."""

    started_at: float
    limits: CallLimits


@dataclass(frozen=True)
class Finished(Generic[Result]):
    """The last item that a run yields: its value, and its waiting and computing times in seconds."""

    value: Result
    queue_s: float
    inference_s: float


class Runner:
    """Runs blocking work in threads: `slots` at a time, with up to `waiting` more in the queue.

    Refuses further work with Busy, because a long queue inside a server holds requests
    behind a slow one while other replicas are idle. Also refuses work with Busy if its
    `slot_wait_s` ends before it gets a slot. Refuses all work with NotReady until `open`
    is called.
    """

    def __init__(self, slots: int, waiting: int) -> None:
        self.slots = slots
        """Calls that may run at the same time."""
        self._slots = asyncio.Semaphore(slots)
        self._room = slots + waiting
        self._inside = 0
        self._running: set[Running] = set()
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="work")
        self._open = False

    def open(self) -> None:
        """Starts accepting work."""
        self._open = True

    @property
    def inside(self) -> int:
        """Calls that run or wait, including those whose caller has left but whose work has not ended."""
        return self._inside

    @property
    def running(self) -> Collection[Running]:
        """The work that has not ended, whether or not a caller still waits for it."""
        return frozenset(self._running)

    async def run(
        self, work: Callable[[Callable[[Update], None]], Result]
    ) -> AsyncIterator[Update | Finished[Result]]:
        """Runs `work(on_progress)` and yields what it reports, then Finished.

        `on_progress` may be called from the worker thread at any rate. It raises
        CallCancelled once the caller has left, so work that reports often stops
        soon. `run` does not wait for that, since a native call may never return; the slot
        becomes free when the work has ended. Raises Busy, NotReady, and what `work` raises.
        """
        arrived = time.monotonic()
        await self._take_slot()
        started = time.monotonic()
        loop = asyncio.get_running_loop()
        updates: asyncio.Queue[Update | None] = asyncio.Queue()
        cancelled = threading.Event()

        def on_progress(update: Update) -> None:
            if cancelled.is_set():
                raise CallCancelled
            loop.call_soon_threadsafe(updates.put_nowait, update)

        done = self._submit(partial(work, on_progress), lambda: updates.put_nowait(None))
        try:
            while (update := await updates.get()) is not None:
                yield update
        finally:
            cancelled.set()
        yield Finished(done.result(), started - arrived, time.monotonic() - started)

    def _submit(self, work: Callable[[], Result], on_end: Callable[[], None]) -> Future[Result]:
        """Starts `work`. When it has ended, frees the slot and calls `on_end` in the event loop."""
        loop = asyncio.get_running_loop()
        running = Running(time.monotonic(), call_limits.get())
        self._running.add(running)

        def end() -> None:
            self._running.discard(running)
            self._free_slot()
            on_end()

        def ended(_: Future[Result]) -> None:
            # If the event loop is closed, no caller is left to notify.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(end)

        done = self._threads.submit(work)
        done.add_done_callback(ended)
        return done

    async def close(self) -> None:
        """Shuts the threads down when all work has ended, or after WORK_END_S."""
        with suppress(TimeoutError):
            async with asyncio.timeout(WORK_END_S):
                while self._running:
                    await asyncio.sleep(0.01)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _take_slot(self) -> None:
        if not self._open:
            raise NotReady
        if self._inside >= self._room:
            raise Busy(RETRY_AFTER_S)
        self._inside += 1
        try:
            async with asyncio.timeout(call_limits.get().slot_wait_s):
                await self._slots.acquire()
        except BaseException as error:
            self._inside -= 1
            if isinstance(error, TimeoutError):
                raise Busy(RETRY_AFTER_S) from None
            raise

    def _free_slot(self) -> None:
        self._slots.release()
        self._inside -= 1
