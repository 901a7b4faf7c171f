"""Follows the jobs that callers watch, with one query for all of them.

Another gateway may be running a job, so the database is polled. A query for each caller would take all of
the gateway's time with a few hundred callers.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.store.jobs import JobRow, JobStore, Version
from etbgm_kit.errors import NotFound
from etbgm_kit.serving.stopping import pause

POLL_S, SOON_S = 0.25, 0.1
"""Interval between two queries; between those for at most FEW jobs, which cost less than a millisecond."""
FEW = 8


class _Watched:
    """A watched job: its message as of `version`, or the error that ends its watches."""

    def __init__(self) -> None:
        self.followers = 0
        self.version: Version | None = None
        self.job: gateway_pb2.Job | None = None
        self.error: BaseException | None = None
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Wakes the followers."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def changes_within(self, seconds: float) -> bool:
        """Waits for `tell`, but not longer; returns whether it came."""
        try:
            await asyncio.wait_for(self._changed.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Watching:
    """The watched jobs of one gateway; for use in one event loop."""

    def __init__(
        self,
        jobs: JobStore,
        message_of: Callable[[JobRow], gateway_pb2.Job],
        heartbeat_s: float,
        stopping: asyncio.Event,
    ) -> None:
        """`message_of` is called in a worker thread."""
        self._jobs, self._message_of, self._stopping = jobs, message_of, stopping
        self._heartbeat_s = heartbeat_s
        self._watched: dict[str, _Watched] = {}
        self._polling: asyncio.Task[None] | None = None

    async def follow(self, row: JobRow) -> AsyncIterator[gateway_pb2.Job | None]:
        """Yields the job after each change since `row`, and None after each `heartbeat_s` without one.

        Has no end of its own. A caller that is slower than the changes gets only the last one. Raises
        NotFound once the job is deleted, ServerStopping, and what the database raises.
        """
        seen: Version | None = row.version
        with self._following(row.job_id) as watched:
            while True:
                if watched.error:
                    raise watched.error
                if watched.job is not None and watched.version != seen:
                    seen = watched.version
                    yield watched.job
                elif not await watched.changes_within(self._heartbeat_s):
                    yield None

    @contextmanager
    def _following(self, job_id: str) -> Iterator[_Watched]:
        watched = self._watched.setdefault(job_id, _Watched())
        watched.followers += 1
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            yield watched
        finally:
            watched.followers -= 1
            if not watched.followers and self._watched.get(job_id) is watched:
                del self._watched[job_id]

    async def _poll(self) -> None:
        """Polls until nobody watches any more."""
        while self._watched:
            try:
                await self._look(list(self._watched))
                await pause(self._stopping, POLL_S if len(self._watched) > FEW else SOON_S)
            except Exception as error:
                # Each watch ends with the error, and its caller watches again.
                self._end(list(self._watched), error)

    async def _look(self, job_ids: Sequence[str]) -> None:
        versions = await asyncio.to_thread(self._jobs.versions, job_ids)
        self._end([job_id for job_id in job_ids if job_id not in versions], NotFound("no such job"))
        known = {job_id: watched.version for job_id, watched in self._watched.items()}
        changed = [job_id for job_id, version in versions.items() if known.get(job_id, version) != version]
        for row, job in await asyncio.to_thread(self._read, changed):
            if watched := self._watched.get(row.job_id):
                watched.version, watched.job = row.version, job
                watched.tell()

    def _read(self, job_ids: Sequence[str]) -> list[tuple[JobRow, gateway_pb2.Job]]:
        return [(row, self._message_of(row)) for row in self._jobs.several(job_ids)]

    def _end(self, job_ids: Sequence[str], error: BaseException) -> None:
        for job_id in job_ids:
            if watched := self._watched.pop(job_id, None):
                watched.error = error
                watched.tell()
