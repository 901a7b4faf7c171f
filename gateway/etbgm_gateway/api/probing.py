"""Probes of videos: each content once, and only so many at a time."""

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from etbgm.mixer.v1 import mixer_pb2
from etbgm_gateway.upstream.errors import ServiceBusy, ServiceTimeout
from etbgm_gateway.upstream.remote import RemoteService
from etbgm_kit.errors import Busy
from etbgm_kit.serving.runner import call_limits

if TYPE_CHECKING:
    from etbgm.mixer.v1.mixer_pb2_grpc import MixerServiceAsyncStub

RETRY_AFTER_S = 5.0
"""Retry delay for a refused caller: a few probes take about this long on one core."""

MARGIN_S = 0.5
"""A call is refused this long before its caller's deadline, so that the caller learns the reason."""

_REMEMBERED = 4096
"""Number of results kept in memory, about 1 KB each."""

_Key = tuple[str, int, str]


class Probes:
    """Asks the mixer what videos contain.

    A video that several callers name at once is probed once, and its result is remembered by its
    content. An error is not remembered: it may be the mixer's.
    """

    def __init__(
        self, mixer: "RemoteService[MixerServiceAsyncStub]", deadline_s: float, at_once: int
    ) -> None:
        """Allows `at_once` probes at a time; each has `deadline_s`, and so has the wait for its turn."""
        self._mixer, self._deadline_s = mixer, deadline_s
        self._turns = asyncio.Semaphore(at_once)
        self._known: OrderedDict[_Key, mixer_pb2.ProbeResponse] = OrderedDict()
        self._running: dict[_Key, asyncio.Task[mixer_pb2.ProbeResponse]] = {}

    async def run(self, request: mixer_pb2.ProbeRequest) -> mixer_pb2.ProbeResponse:
        """Returns the facts of the video.

        Raises RemoteError (the mixer rejects the video), Busy (the result would come too late; the caller may
        retry), ServiceError (the mixer cannot be reached).
        """
        key = (request.video.sha256, request.video.size_bytes, request.container)
        if known := self._known.get(key):
            self._known.move_to_end(key)
            return known
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self._probe(request))
            task.add_done_callback(lambda done: self._ended(key, done))
        try:
            # Shielded: other callers may wait for the same result, and this one may ask again.
            async with asyncio.timeout(_left_s()):
                return await asyncio.shield(task)
        except (TimeoutError, ServiceTimeout, ServiceBusy):
            raise Busy(RETRY_AFTER_S) from None

    async def _probe(self, request: mixer_pb2.ProbeRequest) -> mixer_pb2.ProbeResponse:
        async with asyncio.timeout(self._deadline_s):
            await self._turns.acquire()
        try:
            return await self._mixer.unary("Probe", request, mixer_pb2.ProbeResponse, self._deadline_s)
        finally:
            self._turns.release()

    def _ended(self, key: _Key, task: "asyncio.Task[mixer_pb2.ProbeResponse]") -> None:
        del self._running[key]
        if task.cancelled() or task.exception():
            return
        self._known[key] = task.result()
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _left_s() -> float | None:
    """Time that the current call has for its answer; None without a deadline."""
    ends_at = call_limits.get().ends_at
    return None if ends_at is None else max(0.0, ends_at - time.monotonic() - MARGIN_S)
