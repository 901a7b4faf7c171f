"""The attempts of one call: repeated rounds over the replicas, with pauses between the rounds."""

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message

from etbgm_gateway.upstream.errors import (
    MethodMissing,
    ServiceBusy,
    ServiceError,
    ServiceFailed,
    ServiceLost,
    ServiceTimeout,
    ServiceUnavailable,
    is_described,
)
from etbgm_gateway.upstream.presence import Presence
from etbgm_gateway.upstream.replicas import Replica, Replicas, Stub
from etbgm_kit.serving import tracing
from etbgm_kit.serving.limits import SLOT_WAIT_HEADER
from etbgm_kit.serving.status import error_from_rpc

log = logging.getLogger(__name__)

Answer = TypeVar("Answer", bound=Message)
OnProgress = Callable[[float], None]
"""Receives the completed fraction, [0, 1]."""
OnPart = Callable[[Message], None]
"""Receives a part of the result that a service sends before the whole."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0
"""Bounds of the random pause between two rounds over the replicas: doubled each time, full jitter
(M. Brooker, "Exponential Backoff And Jitter", 2015), short compared with any stage."""

WAIT_S = 30.0
"""How long a call waits for a slot at a busy replica, once all others have refused it. If that replica
refused it too, the uninterrupted calls of other gateways would never leave it a free slot."""

MOST_LOST = 5
"""A call that lost its server this often while it computed is given up, because it may crash the servers."""

Metadata = tuple[tuple[str, str], ...]
Attempt = Callable[[Stub, float, Metadata], Awaitable[Answer]]
"""Makes a call with a time limit, in seconds, and metadata."""


class Lost(Exception):
    """A call failed after its server had started to answer."""

    def __init__(self, failure: grpc.aio.AioRpcError) -> None:
        super().__init__()
        self.failure = failure


class Rounds(Generic[Stub]):
    """The attempts of one call.

    `is_taken` is True while an attempt is in flight; `heard_at` is the time at which a replica last refused
    an attempt or was lost during one.
    """

    def __init__(self, name: str, replicas: Replicas[Stub], presence: Presence, deadline_s: float) -> None:
        """Attempts may compute for `deadline_s` in total, including those whose server was lost."""
        self._name, self._replicas, self._presence = name, replicas, presence
        self._deadline_s, self._left_s = deadline_s, deadline_s
        self._lost, self._was_taken = 0, False
        self._last: grpc.aio.AioRpcError | None = None
        self.is_taken, self.heard_at = False, 0.0

    async def run(
        self,
        attempt: Attempt[Stub, Answer],
        ends_in_s: float,
        place: AbstractAsyncContextManager[None],
    ) -> Answer:
        """Returns the first answer; holds `place` during the attempts. Raises RemoteError, ServiceError."""
        try:
            async with asyncio.timeout(ends_in_s) as limit, place:
                return await self._go_round(attempt, limit)
        except TimeoutError:
            raise self.gave_up(self._at_the_end(ends_in_s)) from None

    def gave_up(self, error: ServiceError) -> ServiceError:
        """Logs `error` with gRPC's last message, which appears only in the log, and returns it."""
        said = self._last.details() if self._last else None
        log.warning("a call to a service failed", extra={**error.facts, "reason": error.reason, "grpc": said})
        return error

    async def _go_round(self, attempt: Attempt[Stub, Answer], limit: asyncio.Timeout) -> Answer:
        refused_by: set[Replica[Stub]] = set()
        pause_s, have_all_refused = FIRST_PAUSE_S, False
        while True:
            async with self._replicas.take(refused_by) as replica:
                waits = have_all_refused or len(self._replicas) == 1
                metadata = ((SLOT_WAIT_HEADER, str(WAIT_S if waits else 0.0)), *tracing.outgoing())
                left_s = min(self._left_s, (limit.when() or math.inf) - now())
                try:
                    return await self._taken(attempt(replica.stub, left_s, metadata))
                except grpc.aio.AioRpcError as failure:
                    retry_after_s = self._retry_after_s(failure)
            refused_by.add(replica)
            if refused_by.issuperset(self._replicas):
                refused_by.clear()
                await asyncio.sleep(retry_after_s + random.uniform(0, pause_s))
                pause_s, have_all_refused = min(2 * pause_s, LONGEST_PAUSE_S), True

    async def _taken(self, attempt: Awaitable[Answer]) -> Answer:
        """Returns the attempt's answer. Raises AioRpcError, ServiceLost."""
        began, self.is_taken, self._was_taken = now(), True, True
        try:
            return await attempt
        except Lost as lost:
            self._lost += 1
            self.heard_at = now()
            self._left_s -= self.heard_at - began
            self._last = lost.failure
            if self._lost == MOST_LOST:
                raise self.gave_up(ServiceLost(self._name, self._lost)) from None
            raise lost.failure from None
        finally:
            self.is_taken = False

    def _retry_after_s(self, failure: grpc.aio.AioRpcError) -> float:
        """Returns the delay that a refusing replica asks for. Raises errors that a retry cannot fix."""
        self._last, error = failure, error_from_rpc(failure)
        described = is_described(failure)
        if error.status_code in ("UNAVAILABLE", "CANCELLED"):
            self._presence.doubt()
        elif error.is_transient and described:
            self.heard_at = now()
        elif described:
            raise error from None
        elif error.status_code == "DEADLINE_EXCEEDED":
            raise self.gave_up(ServiceTimeout(self._name, self._deadline_s)) from None
        elif error.status_code == "UNIMPLEMENTED":
            raise self.gave_up(MethodMissing(self._name)) from None
        else:
            raise self.gave_up(ServiceFailed(self._name, error.status_code)) from None
        return error.retry_after_s

    def _at_the_end(self, waited_s: float) -> ServiceError:
        if self._last and self._last.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return ServiceBusy(self._name, waited_s)
        if self._last or not self._was_taken:
            return ServiceUnavailable(self._name, waited_s)
        return ServiceTimeout(self._name, self._deadline_s)


async def result_of(call: Any, on_progress: OnProgress, on_part: OnPart = lambda _: None) -> Any:
    """Returns the result of a stream, or None if it sent none. Raises Lost, AioRpcError."""
    result = None
    is_computing = False
    try:
        async for response in call:
            is_computing = True
            kind = response.WhichOneof("update")
            if kind == "progress":
                on_progress(response.progress.fraction)
            elif kind == "result":
                result = response.result
            elif kind:
                on_part(getattr(response, kind))
    except grpc.aio.AioRpcError as failure:
        if is_computing:
            raise Lost(failure) from None
        raise
    finally:
        call.cancel()
    return result


def now() -> float:
    """Returns the event loop's time, in seconds."""
    return asyncio.get_running_loop().time()
