"""Calls to a service: each has a deadline, is retried on another replica or later, and always ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Generic

from google.protobuf.message import Message

from etbgm_gateway.upstream.errors import ServiceFailed, ServiceUnavailable
from etbgm_gateway.upstream.presence import Presence
from etbgm_gateway.upstream.replicas import Replicas, Stub
from etbgm_gateway.upstream.rounds import Answer, Metadata, OnPart, OnProgress, Rounds, now, result_of

OnWait = Callable[[bool], None]
"""Receives True when the call starts to wait because no replica accepts calls, False when the wait ends."""

LOOK_EVERY_S = 0.5
"""How often a call without a replica checks whether one is available."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Limits on how a stage's calls wait, for a place at a replica or for a replica to become available.

    `calls_per_replica` is the number of places at each replica. `replica_s` is how long there may be no
    replica that accepts calls, without interruption. `queue_s` is the total time that a call may wait.
    """

    calls_per_replica: int
    replica_s: float
    queue_s: float


class RemoteService(Generic[Stub]):
    """One service, whichever replica answers.

    UNAVAILABLE, RESOURCE_EXHAUSTED and CANCELLED (a server stopped before it finished) are
    retried, first at the other replicas, then after a pause. All methods of the services are
    idempotent. Cancelling the awaiting task cancels the call.

    Every call has a fixed end. Without `on_wait`, that is the deadline for all attempts and pauses
    together, because a user is waiting for the answer. A stage's call may compute for `deadline_s`,
    not counting the time that it queues before a replica accepts it. It ends at the latest
    `deadline_s` plus `Waits.queue_s` after it started, or earlier if no replica accepts calls for
    `Waits.replica_s`.

    Calls raise RemoteError if the service described its error, and ServiceError otherwise.
    """

    def __init__(self, name: str, replicas: Replicas[Stub], waits: Waits) -> None:
        self.name, self.replicas, self._waits = name, replicas, waits
        self.presence = Presence(replicas)
        self._watching: asyncio.Task[None] | None = None

    async def find(self) -> None:
        """Finds the replicas and follows later changes. Raises DiscoveryFailed."""
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
        """Calls a quick method; stages pass `on_wait`."""

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
        on_part: OnPart = lambda _: None,
    ) -> Answer:
        """Calls a method that streams progress, perhaps parts, and ends with a result, for a stage.

        Waits in the gateway while calls in flight occupy all places at the replicas.
        """

        async def attempt(stub: Stub, left_s: float, metadata: Metadata) -> Answer:
            call = getattr(stub, method)(request, timeout=left_s, metadata=metadata)
            result = await result_of(call, on_progress, on_part)
            if not isinstance(result, result_type):
                raise ServiceFailed(self.name, "no result")
            return result

        rounds = Rounds(self.name, self.replicas, self.presence, deadline_s)
        async with self._watched(rounds, on_wait):
            return await rounds.run(
                attempt, deadline_s + self._waits.queue_s, self.replicas.place(self._waits.calls_per_replica)
            )

    async def close(self) -> None:
        """Drops the replicas and closes the channels to them."""
        if self._watching:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await self.replicas.close()

    @asynccontextmanager
    async def _watched(self, rounds: Rounds[Stub], on_wait: OnWait) -> AsyncIterator[None]:
        """Reports waits for a replica; raises ServiceUnavailable when one lasts too long."""
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
                    # A draining replica accepts no new calls but continues those that it has.
                    if absent_since is None:
                        on_wait(True)
                    absent_since = max(absent_since or time_s, rounds.heard_at)
                    if time_s - absent_since >= self._waits.replica_s:
                        limit.reschedule(time_s)
                await asyncio.sleep(LOOK_EVERY_S)
        if absent_since is not None:
            on_wait(False)
