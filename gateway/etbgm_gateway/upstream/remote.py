"""Calls to a service: a deadline on each, retried on another replica or later."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from etbgm_gateway.upstream.replicas import Replica, Replicas, Stub
from etbgm_kit.serving.limits import SLOT_WAIT_HEADER
from etbgm_kit.serving.status import RemoteError, error_from_rpc

Answer = TypeVar("Answer", bound=Message)
OnProgress = Callable[[float], None]
"""Told of the share done, [0, 1]."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Bounds of the random pause between two rounds over the replicas: doubled each time, full jitter
(M. Brooker, "Exponential Backoff And Jitter", 2015), short against any stage."""

WAIT_S = 30.0
"""So long a call waits in line at a replica that is busy, once all others have refused it: were it refused
there too, the calls of other gateways, which follow each other without a pause, would leave it no gap."""

MOST_LOST = 5
"""A call whose server was lost this often while it computed may be what ends the servers; it is given up."""

Attempt = Callable[[Stub, float, tuple[tuple[str, str]]], Awaitable[Answer]]
"""Calls with a time limit, in seconds, and metadata."""


class RemoteService(Generic[Stub]):
    """One service, whichever replica answers.

    UNAVAILABLE, RESOURCE_EXHAUSTED and CANCELLED (a server that stopped before it was done)
    are retried, first at the other replicas, then after a pause, until the deadline. The time
    before a replica has a place for the call does not count: it is a queue. All methods of the
    services are idempotent. Cancelling the awaiting task cancels the call.
    """

    def __init__(self, replicas: Replicas[Stub], calls_per_replica: int, wait_s: float | None = None) -> None:
        """For `wait_s`, or for ever, a streaming call waits for a first replica before its time begins."""
        self.replicas, self._calls_per_replica, self._wait_s = replicas, calls_per_replica, wait_s

    async def find(self) -> None:
        """Finds out where the replicas are, now and after each change. Raises DiscoveryFailed."""
        await self.replicas.find()

    async def unary(
        self, method: str, request: Message, result_type: type[Answer], deadline_s: float
    ) -> Answer:
        """Calls a quick method. Raises RemoteError."""

        async def attempt(stub: Stub, left_s: float, metadata: tuple[tuple[str, str]]) -> Answer:
            answer = await getattr(stub, method)(request, timeout=left_s, metadata=metadata)
            assert isinstance(answer, result_type)
            return answer

        return await self._within(deadline_s, attempt)

    async def stream(
        self,
        method: str,
        request: Message,
        result_type: type[Answer],
        deadline_s: float,
        on_progress: OnProgress,
    ) -> Answer:
        """Calls a method that streams progress and ends with a result. Raises RemoteError.

        Waits here while there is no replica, and while as many calls are on their way as the
        replicas have places.
        """

        async def attempt(stub: Stub, left_s: float, metadata: tuple[tuple[str, str]]) -> Answer:
            call = getattr(stub, method)(request, timeout=left_s, metadata=metadata)
            return await _result_of(call, result_type, on_progress)

        try:
            async with asyncio.timeout(self._wait_s):
                await self.replicas.some()
        except TimeoutError:
            raise _error("UNAVAILABLE", f"no replica came in {self._wait_s:.0f} s") from None
        async with self.replicas.place(self._calls_per_replica):
            return await self._within(deadline_s, attempt)

    async def _within(self, deadline_s: float, attempt: Attempt[Stub, Answer]) -> Answer:
        rounds = _Rounds(self.replicas, deadline_s)
        try:
            return await rounds.run(attempt)
        except TimeoutError:
            raise rounds.last or _error("DEADLINE_EXCEEDED", f"no answer in {deadline_s:.0f} s") from None

    async def close(self) -> None:
        """Forgets the replicas and closes the channels to them."""
        await self.replicas.close()


class _Lost(Exception):
    """A call failed after its server had begun to answer."""

    def __init__(self, failure: grpc.aio.AioRpcError) -> None:
        super().__init__()
        self.failure = failure


class _Rounds(Generic[Stub]):
    """The attempts of one call: `last` is the error of the latest that failed."""

    def __init__(self, replicas: Replicas[Stub], deadline_s: float) -> None:
        self._replicas, self._deadline_s, self._lost = replicas, deadline_s, 0
        self.last: RemoteError | None = None

    async def run(self, attempt: Attempt[Stub, Answer]) -> Answer:
        """The first answer. Raises TimeoutError and RemoteError."""
        refused_by: set[Replica[Stub]] = set()
        pause_s, have_all_refused = FIRST_PAUSE_S, False
        clock = asyncio.get_running_loop().time
        async with asyncio.timeout(self._deadline_s) as limit:
            while True:
                async with self._replicas.take(refused_by) as replica:
                    # After a refusal its time begins anew.
                    ends_at = limit.when() or clock() + self._deadline_s
                    limit.reschedule(ends_at)
                    waits = have_all_refused or len(self._replicas) == 1
                    metadata = ((SLOT_WAIT_HEADER, str(WAIT_S if waits else 0.0)),)
                    try:
                        return await attempt(replica.stub, ends_at - clock(), metadata)
                    except _Lost as lost:
                        self._lost += 1
                        self.last = error_from_rpc(lost.failure)
                    except grpc.aio.AioRpcError as failure:
                        self.last = error_from_rpc(failure)
                if not _is_transient(self.last) or self._lost == MOST_LOST:
                    raise self.last
                if self.last.status_code == "RESOURCE_EXHAUSTED":
                    limit.reschedule(None)
                refused_by.add(replica)
                if refused_by.issuperset(self._replicas):
                    refused_by.clear()
                    await asyncio.sleep(self.last.retry_after_s + random.uniform(0, pause_s))
                    pause_s, have_all_refused = min(2 * pause_s, LONGEST_PAUSE_S), True


async def _result_of(call: Any, result_type: type[Answer], on_progress: OnProgress) -> Answer:
    """What a stream ends with. Raises _Lost, AioRpcError and RemoteError."""
    result: Answer | None = None
    is_computing = False
    try:
        async for response in call:
            is_computing = True
            if response.HasField("progress"):
                on_progress(response.progress.fraction)
            elif response.HasField("result"):
                result = response.result
    except grpc.aio.AioRpcError as failure:
        if is_computing:
            raise _Lost(failure) from None
        raise
    finally:
        call.cancel()
    if result is None:
        raise _error("INTERNAL", f"the stream ended without a {result_type.__name__}")
    return result


def _is_transient(error: RemoteError) -> bool:
    return error.is_transient or error.status_code == "CANCELLED"


def _error(code: str, message: str) -> RemoteError:
    return RemoteError(Status(code=code_pb2.Code.Value(code), message=message))
