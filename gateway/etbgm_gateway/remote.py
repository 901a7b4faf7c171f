"""Calls to a service: a deadline on each, retried on another replica or later."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from etbgm_gateway.replicas import Replica, Replicas, Stub
from etbgm_kit.status import RemoteError, error_from_rpc

Answer = TypeVar("Answer", bound=Message)
Report = Callable[[float], None]
"""Told of the share done, [0, 1]."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Bounds of the random pause between two rounds over the replicas: doubled each time, full jitter
(M. Brooker, "Exponential Backoff And Jitter", 2015), short against any stage."""


class Remote(Generic[Stub]):
    """One service, whichever replica answers.

    UNAVAILABLE, RESOURCE_EXHAUSTED and CANCELLED (a server that stopped before it was done)
    are retried, first at the other replicas, then after a pause, until the deadline. All
    methods of the services are idempotent. Cancelling the awaiting task cancels the call.
    """

    def __init__(self, replicas: Replicas[Stub], calls_per_replica: int, wait_s: float | None = None) -> None:
        """For `wait_s`, or for ever, a streaming call waits for a first replica before its time begins."""
        self.replicas, self._calls_per_replica, self._wait_s = replicas, calls_per_replica, wait_s

    async def find(self) -> None:
        """Finds out where the replicas are, now and after each change. Raises DiscoveryFailed."""
        await self.replicas.find()

    async def unary(
        self,
        method: Callable[[Stub], Callable[..., Awaitable[Answer]]],
        request: Message,
        deadline_s: float,
    ) -> Answer:
        """Calls a quick method. Raises RemoteError."""

        async def attempt(stub: Stub, left_s: float) -> Answer:
            return await method(stub)(request, timeout=left_s)

        return await self._within(deadline_s, attempt, nullcontext())

    async def stream(
        self,
        method: Callable[[Stub], Callable[..., Any]],
        request: Message,
        result_type: type[Answer],
        deadline_s: float,
        report: Report,
    ) -> Answer:
        """Calls a method that streams progress and ends with a result. Raises RemoteError.

        Waits here while there is no replica, and while as many calls are on their way as the
        replicas have places.
        """

        async def attempt(stub: Stub, left_s: float) -> Answer:
            call = method(stub)(request, timeout=left_s)
            result: Answer | None = None
            try:
                async for response in call:
                    if response.HasField("progress"):
                        report(response.progress.fraction)
                    elif response.HasField("result"):
                        result = response.result
            finally:
                call.cancel()
            if result is None:
                raise _error("INTERNAL", f"the stream ended without a {result_type.__name__}")
            return result

        try:
            async with asyncio.timeout(self._wait_s):
                await self.replicas.some()
        except TimeoutError:
            raise _error("UNAVAILABLE", f"no replica came in {self._wait_s:.0f} s") from None
        return await self._within(deadline_s, attempt, self.replicas.place(self._calls_per_replica))

    async def _within(
        self,
        deadline_s: float,
        attempt: Callable[[Stub, float], Awaitable[Answer]],
        place: AbstractAsyncContextManager[None],
    ) -> Answer:
        rounds = _Rounds(self.replicas, asyncio.get_running_loop().time() + deadline_s)
        try:
            async with asyncio.timeout(deadline_s), place:
                return await rounds.run(attempt)
        except TimeoutError:
            raise rounds.last or _error("DEADLINE_EXCEEDED", f"no answer in {deadline_s:.0f} s") from None

    async def close(self) -> None:
        """Forgets the replicas and closes the channels to them."""
        await self.replicas.close()


class _Rounds(Generic[Stub]):
    """The attempts of one call: `last` is the error of the latest that failed."""

    def __init__(self, replicas: Replicas[Stub], ends_at: float) -> None:
        self._replicas, self._ends_at = replicas, ends_at
        self.last: RemoteError | None = None

    async def run(self, attempt: Callable[[Stub, float], Awaitable[Answer]]) -> Answer:
        refused_by: set[Replica[Stub]] = set()
        pause_s = FIRST_PAUSE_S
        while True:
            async with self._replicas.take(refused_by) as replica:
                try:
                    return await attempt(replica.stub, self._left_s())
                except grpc.aio.AioRpcError as failure:
                    self.last = error_from_rpc(failure)
            if not _is_transient(self.last):
                raise self.last
            refused_by.add(replica)
            if refused_by.issuperset(self._replicas):
                refused_by.clear()
                await asyncio.sleep(self.last.retry_after_s + random.uniform(0, pause_s))
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _left_s(self) -> float:
        return max(0.0, self._ends_at - asyncio.get_running_loop().time())


def _is_transient(error: RemoteError) -> bool:
    return error.is_transient or error.status_code == "CANCELLED"


def _error(code: str, message: str) -> RemoteError:
    return RemoteError(Status(code=code_pb2.Code.Value(code), message=message))
