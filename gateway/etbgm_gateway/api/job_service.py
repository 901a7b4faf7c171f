"""The gateway's operations, independent of how they are called."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable

import sqlalchemy as sa

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.api.admission import Admission
from etbgm_gateway.api.converters import job_to_pb, request_to_bytes, shared_view, summary_to_bytes
from etbgm_gateway.api.errors import BeyondEnd, RequestIdUsed
from etbgm_gateway.api.listing import Listing, listing_of
from etbgm_gateway.api.ownership import Ownership
from etbgm_gateway.api.remixing import Remixing
from etbgm_gateway.api.validation import check_id, is_id
from etbgm_gateway.api.watching import Watching
from etbgm_gateway.identity.types import current_caller, current_tenant
from etbgm_gateway.outgoing.places import without_query
from etbgm_gateway.pipeline import cues
from etbgm_gateway.pipeline.pictures import attribute
from etbgm_gateway.pipeline.pieces import variants_of
from etbgm_gateway.queue.garbage import Garbage
from etbgm_gateway.queue.job_queue import JobQueue
from etbgm_gateway.store.jobs import UNFINISHED, JobRow, JobStore, NewJob
from etbgm_gateway.store.lists import JobLists
from etbgm_gateway.store.quotas import Quotas
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import Conflict, InvalidField, NotFound
from etbgm_kit.ranges import check_range
from etbgm_kit.serving import tracing

UNFINISHED_STATES = (gateway_pb2.STATE_QUEUED, gateway_pb2.STATE_RUNNING)


class JobService:
    """Operations on jobs and artifacts."""

    def __init__(
        self,
        jobs: JobStore,
        lists: JobLists,
        message_of: Callable[[JobRow], gateway_pb2.Job],
        queue: JobQueue,
        quotas: Quotas,
        store: ArtifactStore,
        admission: Admission,
        ownership: Ownership,
        garbage: Garbage,
        remixing: Remixing,
        watching: Watching,
    ) -> None:
        self._jobs, self._lists, self._message, self._queue = jobs, lists, message_of, queue
        self._quotas, self._store = quotas, store
        self._admission, self._ownership, self._garbage = admission, ownership, garbage
        self._remixing, self._watching = remixing, watching

    async def create(self, request: gateway_pb2.CreateJobRequest) -> gateway_pb2.Job:
        """Checks the request and queues the job; with `validate_only` the returned job has no id.

        Raises InvalidField, NotFound, Conflict (webhooks need a secret), RequestIdUsed, QuotaExceeded, Busy,
        StorageFull, RemoteError (the mixer rejects the video), ServiceError (the mixer cannot be reached).
        """
        await asyncio.to_thread(self._admission.check_size, request)
        attribute(request.settings.cuts.cuts)
        return await self._create(request)

    async def remix(self, remix: gateway_pb2.RemixJobRequest) -> gateway_pb2.Job:
        """Queues a job like another one with other settings.

        Raises Conflict (the parent has no result) and what `create` raises.
        """
        await asyncio.to_thread(self._admission.check_size, remix)
        parent = await asyncio.to_thread(self._row, remix.job_id)
        request = await asyncio.to_thread(self._remixing.request_of, parent, remix)
        return await self._create(request, parent.job_id)

    async def _create(
        self, request: gateway_pb2.CreateJobRequest, parent_job_id: str | None = None
    ) -> gateway_pb2.Job:
        kept = await asyncio.to_thread(request_to_bytes, request)
        if request.request_id:
            check_id(request.request_id, "request_id")
            known = await asyncio.to_thread(self._jobs.find_request, current_tenant(), request.request_id)
            if known:
                return await self._answer(known, kept, parent_job_id)
        duration_s = await self._admission.check(request)
        if request.validate_only:
            return _validated(request, parent_job_id)
        new = NewJob(
            tenant=current_tenant(),
            request_id=request.request_id or secrets.token_urlsafe(24),
            request=kept,
            summary=summary_to_bytes(request),
            cues=_expected_cues(request.settings, duration_s),
            webhook_url=request.webhook_url,
            parent_job_id=parent_job_id,
            labels=request.labels,
            priority=request.priority,
            media_s=duration_s * variants_of(request.settings),
            trace_parent=tracing.current(),
        )

        def enqueue(connection: sa.Connection, job_id: str) -> int:
            self._quotas.spend(connection, new.tenant, duration_s)
            self._ownership.hold_inputs(connection, job_id, request)
            return self._queue.enqueue(connection, new.tenant, job_id, new.priority)

        return await self._answer(await asyncio.to_thread(self._jobs.add, new, enqueue), kept, parent_job_id)

    async def get(self, job_id: str) -> gateway_pb2.Job:
        """Returns the job, for someone with a link without what only its owner needs; raises NotFound."""
        job = await asyncio.to_thread(lambda: self._message(self._row(job_id)))
        return shared_view(job) if current_caller.get().job_id else job

    async def page(self, request: gateway_pb2.ListJobsRequest) -> gateway_pb2.ListJobsResponse:
        """Returns a page of jobs; raises InvalidField."""
        listing = await asyncio.to_thread(listing_of, request)
        return await asyncio.to_thread(self._page, listing)

    def _find(self, uri: str) -> tuple[str, int]:
        key, size = self._store.find(uri)
        self._ownership.check(key, uri=uri)
        return key, size

    def _row(self, job_id: str) -> JobRow:
        if not is_id(job_id):
            raise NotFound("no such job", job_id=job_id)
        row, caller = self._jobs.get(job_id), current_caller.get()
        if row.tenant != caller.tenant or caller.job_id not in ("", job_id):
            raise NotFound("no such job", job_id=job_id)
        return row

    async def _answer(self, job: JobRow, request: bytes, parent_job_id: str | None) -> gateway_pb2.Job:
        """Returns the message for `job`; raises RequestIdUsed if another request with its id created it."""
        if (job.request, job.parent_job_id) != (request, parent_job_id):
            raise RequestIdUsed
        return await asyncio.to_thread(self._message, job)

    def _page(self, listing: Listing) -> gateway_pb2.ListJobsResponse:
        rows = self._lists.page(current_tenant(), listing.page)
        page = rows[: listing.page.size]
        return gateway_pb2.ListJobsResponse(
            jobs=[job_to_pb(row, self._garbage.keep.jobs_s) for row, _ in page],
            next_page_token=listing.token_after(page[-1][1], page[-1][0].job_id)
            if len(rows) > len(page)
            else "",
        )

    async def watch(self, job_id: str, after: int) -> AsyncIterator[gateway_pb2.WatchJobResponse]:
        """Yields the job now and after each change, and heartbeats, until it is finished.

        The first message is a heartbeat if the job's sequence number is `after`. Raises NotFound,
        ServerStopping.
        """
        row = await asyncio.to_thread(self._row, job_id)
        job = await asyncio.to_thread(self._message, row)
        yield gateway_pb2.WatchJobResponse(job=job, heartbeat=row.sequence == after)
        if row.state not in UNFINISHED:
            return
        async for changed in self._watching.follow(row):
            before, job = job, changed or await self.get(job_id)  # heartbeats have new estimates
            yield gateway_pb2.WatchJobResponse(job=job, heartbeat=job.sequence == before.sequence)
            if job.state not in UNFINISHED_STATES:
                return

    async def select_variant(self, job_id: str, number: int) -> gateway_pb2.Job:
        """Notes the chosen variant, 0 for none; raises NotFound, Conflict (not succeeded), InvalidField."""
        row = await asyncio.to_thread(self._row, job_id)
        if row.result is None:
            raise Conflict("only a job that has succeeded has variants", job_id=job_id)
        variants = len(gateway_pb2.JobResult.FromString(row.result).variants)
        check_range("number", number, 0, variants)
        if (number or None) != row.selected_variant:
            await asyncio.to_thread(self._jobs.select_variant, job_id, number or None)
        return await self.get(job_id)

    async def cancel(self, job_id: str) -> gateway_pb2.Job:
        """Stops the job unless it is finished; raises NotFound."""
        job = await asyncio.to_thread(self._row, job_id)
        if job.state in UNFINISHED:
            # Cancel the work first: if either fails, the job stays unfinished and the next call repeats both.
            await self._queue.cancel(job_id)
            await asyncio.to_thread(self._jobs.finish, job_id, "CANCELLED")
        return await self.get(job_id)

    async def delete(self, job_id: str) -> None:
        """Deletes the job; raises NotFound, Conflict (it is not finished)."""
        job = await asyncio.to_thread(self._row, job_id)
        if job.state in UNFINISHED:
            raise Conflict("the job is not finished; cancel it first", job_id=job_id)
        await asyncio.to_thread(self._garbage.delete_job, job_id)

    async def download(
        self, uri: str, offset: int, length: int | None
    ) -> AsyncIterator[gateway_pb2.DownloadArtifactResponse]:
        """Yields messages of at most 1 MiB, each read after the previous one was consumed.

        Raises InvalidField, NotFound, BeyondEnd.
        """
        if offset < 0:
            raise InvalidField("offset_bytes", "must be >= 0")
        if length is not None and length < 0:
            raise InvalidField("length_bytes", "must be >= 0")
        key, size = await asyncio.to_thread(self._find, uri)
        if offset > size:
            raise BeyondEnd(offset, size)
        end = size if length is None else min(size, offset + length)
        blocks = self._store.blocks(key, offset, end)
        block = await asyncio.to_thread(next, blocks, b"")
        yield gateway_pb2.DownloadArtifactResponse(data=block, size_bytes=size)
        while block and (block := await asyncio.to_thread(next, blocks, b"")):
            yield gateway_pb2.DownloadArtifactResponse(data=block)


def _validated(request: gateway_pb2.CreateJobRequest, parent_job_id: str | None) -> gateway_pb2.Job:
    """The job that the request would create."""
    return gateway_pb2.Job(
        state=gateway_pb2.STATE_QUEUED,
        video=request.video if request.HasField("video") else None,
        source_url=without_query(request.source_url),
        destination=request.destination if request.HasField("destination") else None,
        settings=request.settings,
        priority=request.priority,
        labels=request.labels,
        user_metadata=request.user_metadata,
        request_id=request.request_id,
        parent_job_id=parent_job_id or "",
    )


def _expected_cues(settings: gateway_pb2.JobSettings, duration_s: float) -> int:
    return variants_of(settings) * (1 if settings.stems else cues.expected(duration_s))
