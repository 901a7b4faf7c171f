"""Calls to a service: a deadline on each, retried on another replica or later, and always an end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Generic

from google.protobuf.message import Message

from etbgm_gateway.upstream.errors import ServiceFailed, ServiceUnavailable
from etbgm_gateway.upstream.presence import Presence
from etbgm_gateway.upstream.replicas import Replicas, Stub
from etbgm_gateway.upstream.rounds import Answer, Metadata, OnProgress, Rounds, now, result_of

OnWait = Callable[[bool], None]
"""Told True when the call begins to wait for a replica, because none takes calls, and False when one does."""

LOOK_EVERY_S = 0.5
"""How often a call that has no replica looks whether there is one."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How a stage's calls wait: for a place, `calls_per_replica` at every replica, and for a replica.

    `replica_s` is how long without a pause there may be no replica that takes calls, `queue_s` how
    long a call may wait in all, whatever for.
    """

    calls_per_replica: int
    replica_s: float
    queue_s: float


class RemoteService(Generic[Stub]):
    """One service, whichever replica answers.

    UNAVAILABLE, RESOURCE_EXHAUSTED and CANCELLED (a server that stopped before it was done)
    are retried, first at the other replicas, then after a pause. All methods of the services are
    idempotent. Cancelling the awaiting task cancels the call.

    Every call has an absolute end. Without an `on_wait` it is the deadline, for all attempts
    and pauses together: somebody waits for the answer. A stage's call, which is told of waits, may
    compute for `deadline_s`, and the time before a replica takes it does not count: it is a queue.
    It ends `deadline_s` and `Waits.queue_s` after it began, or earlier, when no replica took calls
    for `Waits.replica_s`.

    Calls raise RemoteError, as a service has described its error, and ServiceError.
    """

    def __init__(self, name: str, replicas: Replicas[Stub], waits: Waits) -> None:
        self.name, self.replicas, self._waits = name, replicas, waits
        self.presence = Presence(replicas)
        self._watching: asyncio.Task[None] | None = None

    async def find(self) -> None:
        """Finds out where the replicas are, now and after each change. Raises DiscoveryFailed."""
        await self.replicas.find()
        self._watching = self._watching or asyncio.create_task(self.presence.watch())

    async def unary(
        self,
        method: str,
        request: Message,
        result_type: type[Answer],
        deadline_s: float,
        on_wait: OnWait | None = None,
    ) -> Answer:
        """Calls a quick method; with `on_wait` for a stage."""

        async def attempt(stub: Stub, left_s: float, metadata: Metadata) -> Answer:
            answer = await getattr(stub, method)(request, timeout=left_s, metadata=metadata)
            assert isinstance(answer, result_type)
            return answer

        rounds = Rounds(self.name, self.replicas, self.presence, deadline_s)
        if on_wait is None:
            return await rounds.run(attempt, deadline_s, nullcontext())
        async with self._watched(rounds, on_wait):
            return await rounds.run(attempt, deadline_s + self._waits.queue_s, nullcontext())

    async def stream(
        self,
        method: str,
        request: Message,
        result_type: type[Answer],
        deadline_s: float,
        on_progress: OnProgress,
        on_wait: OnWait = lambda _: None,
    ) -> Answer:
        """Calls a method that streams progress and ends with a result, for a stage.

        Waits here while as many calls are on their way as the replicas have places.
        """

        async def attempt(stub: Stub, left_s: float, metadata: Metadata) -> Answer:
            call = getattr(stub, method)(request, timeout=left_s, metadata=metadata)
            result = await result_of(call, on_progress)
            if not isinstance(result, result_type):
                raise ServiceFailed(self.name, "no result")
            return result

        rounds = Rounds(self.name, self.replicas, self.presence, deadline_s)
        async with self._watched(rounds, on_wait):
            return await rounds.run(
                attempt, deadline_s + self._waits.queue_s, self.replicas.place(self._waits.calls_per_replica)
            )

    async def close(self) -> None:
        """Forgets the replicas and closes the channels to them."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self.replicas.close()

    @asynccontextmanager
    async def _watched(self, rounds: Rounds[Stub], on_wait: OnWait) -> AsyncIterator[None]:
        """Tells of waits for a replica; raises ServiceUnavailable when one lasts too long."""
        try:
            async with asyncio.timeout(None) as limit:
                watching = asyncio.create_task(self._watch(rounds, on_wait, limit))
                try:
                    yield
                finally:
                    watching.cancel()
                    await asyncio.wait([watching])
        except TimeoutError:
            raise rounds.gave_up(ServiceUnavailable(self.name, self._waits.replica_s)) from None

    async def _watch(self, rounds: Rounds[Stub], on_wait: OnWait, limit: asyncio.Timeout) -> None:
        absent_since: float | None = None
        with suppress(asyncio.CancelledError):
            while True:
                time_s = now()
                if self.presence.serving:
                    if absent_since is not None:
                        on_wait(False)
                    absent_since = None
                elif not rounds.is_taken:
                    # A replica that drains takes no calls and goes on with those that it has.
                    if absent_since is None:
                        on_wait(True)
                    absent_since = max(absent_since or time_s, rounds.heard_at)
                    if time_s - absent_since >= self._waits.replica_s:
                        limit.reschedule(time_s)
                await asyncio.sleep(LOOK_EVERY_S)
        if absent_since is not None:
            on_wait(False)
