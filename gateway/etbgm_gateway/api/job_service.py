"""The gateway's operations, independent of how they are called."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

from google.rpc.error_details_pb2 import BadRequest
from google.rpc.status_pb2 import Status

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_gateway.api.converters import job_to_pb, request_to_bytes, states_from_pb
from etbgm_gateway.api.errors import BeyondEnd, RequestIdUsed
from etbgm_gateway.api.validation import TIMELINE, check_id, check_settings, timeline_of
from etbgm_gateway.pipeline import cues, timelines
from etbgm_gateway.queue.job_queue import JobQueue
from etbgm_gateway.store.jobs import UNFINISHED, JobRow, JobStore
from etbgm_gateway.upstream.clients import Clients
from etbgm_gateway.upstream.errors import ServiceError
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, seconds_from_pb
from etbgm_kit.errors import InvalidField, NotFound
from etbgm_kit.seeds import DEFAULT_VARIANTS
from etbgm_kit.serving.status import RemoteError
from etbgm_kit.serving.stopping import pause

DEFAULT_PAGE, LARGEST_PAGE = 20, 100
WATCH_EVERY_S = 0.25
"""How often a watched job is polled, because another gateway may be running it."""
STYLE_DEADLINE_S = 2.0
"""Timeout of the style check; without an answer, the job's stage reports the error."""


class JobService:
    """Operations on jobs and artifacts."""

    def __init__(
        self,
        jobs: JobStore,
        queue: JobQueue,
        store: ArtifactStore,
        clients: Clients,
        probe_deadline_s: float,
        max_timeline_spans: int,
        stopping: asyncio.Event,
    ) -> None:
        self._jobs, self._queue, self._store = jobs, queue, store
        self._clients, self._probe_deadline_s = clients, probe_deadline_s
        self._max_timeline_spans = max_timeline_spans
        self._stopping = stopping

    async def create(self, request: gateway_pb2.CreateJobRequest) -> gateway_pb2.Job:
        """Checks the request and queues the job; with `validate_only` the returned job has no id.

        Raises InvalidField, NotFound, RequestIdUsed, RemoteError (the mixer rejects the video),
        ServiceError (the mixer does not answer).
        """
        kept = request_to_bytes(request)
        if request.request_id:
            check_id(request.request_id, "request_id")
            known = await asyncio.to_thread(self._jobs.find_request, request.request_id)
            if known:
                return _answer(known, kept)
        facts = await self._check(request)
        if request.validate_only:
            return gateway_pb2.Job(
                state=gateway_pb2.STATE_QUEUED, video=request.video, settings=request.settings
            )
        request_id = request.request_id or secrets.token_urlsafe(24)
        expected = _expected_cues(request.settings, seconds_from_pb(facts.duration))
        enqueue = self._queue.enqueue
        return _answer(await asyncio.to_thread(self._jobs.add, request_id, kept, expected, enqueue), kept)

    async def get(self, job_id: str) -> gateway_pb2.Job:
        """Returns the job; raises NotFound."""
        return job_to_pb(await asyncio.to_thread(self._jobs.get, job_id))

    async def page(self, request: gateway_pb2.ListJobsRequest) -> gateway_pb2.ListJobsResponse:
        """Returns jobs, newest first; raises InvalidField."""
        size = request.page_size if request.HasField("page_size") else DEFAULT_PAGE
        if not 1 <= size <= LARGEST_PAGE:
            raise InvalidField("page_size", f"must be in [1, {LARGEST_PAGE}]")
        if request.page_token:
            check_id(request.page_token, "page_token")
        states = states_from_pb(list(request.states))
        rows = await asyncio.to_thread(self._jobs.page, request.page_token, states, size + 1)
        return gateway_pb2.ListJobsResponse(
            jobs=[job_to_pb(row) for row in rows[:size]],
            next_page_token=rows[size - 1].job_id if len(rows) > size else "",
        )

    async def watch(self, job_id: str) -> AsyncIterator[gateway_pb2.Job]:
        """Yields the job now and after each change, until it is finished.

        Raises NotFound, ServerStopping.
        """
        seen: JobRow | None = None
        while True:
            row = await asyncio.to_thread(self._jobs.get, job_id)
            if row != seen:
                yield job_to_pb(row)
            if row.state not in UNFINISHED:
                return
            seen = row
            await pause(self._stopping, WATCH_EVERY_S)

    async def cancel(self, job_id: str) -> gateway_pb2.Job:
        """Stops the job unless it is finished; raises NotFound."""
        job = await asyncio.to_thread(self._jobs.get, job_id)
        if job.state in UNFINISHED:
            # Cancel the work first: if either fails, the job stays unfinished and the next call repeats both.
            await self._queue.cancel(job_id)
            await asyncio.to_thread(self._jobs.finish, job_id, "CANCELLED")
        return await self.get(job_id)

    async def download(self, uri: str, offset: int, length: int | None) -> AsyncIterator[bytes]:
        """Yields blocks of at most 1 MiB, each read after the previous one was consumed.

        Raises InvalidField, NotFound, BeyondEnd.
        """
        if offset < 0:
            raise InvalidField("offset_bytes", "must be >= 0")
        if length is not None and length < 0:
            raise InvalidField("length_bytes", "must be >= 0")
        key, size = await asyncio.to_thread(self._store.find, uri)
        if offset > size:
            raise BeyondEnd(offset, size)
        end = size if length is None else min(size, offset + length)
        blocks = self._store.blocks(key, offset, end)
        while block := await asyncio.to_thread(next, blocks, b""):
            yield block

    async def _check(self, request: gateway_pb2.CreateJobRequest) -> mixer_pb2.MediaFacts:
        """Checks the request and returns what the video contains."""
        settings = request.settings
        check_settings(settings)
        timeline = await timeline_of(settings, self._max_timeline_spans)
        await self._check_stored(request.video, "video")
        if settings.HasField("captions"):
            await self._check_stored(settings.captions, "settings.captions")
        container = settings.container if settings.HasField("container") else None
        probe = mixer_pb2.ProbeRequest(video=request.video, container=container)
        facts = (await self._probe(probe)).facts
        if timeline:
            timelines.fitted(timeline, seconds_from_pb(facts.duration), TIMELINE)
        if settings.style not in ("", "auto"):
            await self._check_style(settings.style)
        return facts

    async def _check_stored(self, message: media_pb2.Artifact, field: str) -> None:
        artifact = artifact_from_pb(message, field)
        if not await asyncio.to_thread(self._store.exists, artifact, field):
            raise NotFound("the artifact is not in the store", field=field, sha256=artifact.sha256)

    async def _probe(self, request: mixer_pb2.ProbeRequest) -> mixer_pb2.ProbeResponse:
        try:
            return await self._clients.mixer.unary(
                "Probe", request, mixer_pb2.ProbeResponse, self._probe_deadline_s
            )
        except RemoteError as error:
            for violation in _violations(error.status):
                if violation.field == "container":
                    raise InvalidField("settings.container", violation.description) from error
            raise

    async def _check_style(self, style: str) -> None:
        request = riffusion_pb2.ReadStyleRequest(style=style)
        try:
            await self._clients.riffusion.unary(
                "ReadStyle", request, riffusion_pb2.ReadStyleResponse, STYLE_DEADLINE_S
            )
        except RemoteError as error:
            for violation in _violations(error.status):
                raise InvalidField("settings.style", violation.description) from error
        except ServiceError:
            pass


def _answer(job: JobRow, request: bytes) -> gateway_pb2.Job:
    """Returns the message for `job`; raises RequestIdUsed if another request with its id created it."""
    if job.request != request:
        raise RequestIdUsed(job.request_id)
    return job_to_pb(job)


def _expected_cues(settings: gateway_pb2.JobSettings, duration_s: float) -> int:
    variants = settings.variants if settings.HasField("variants") else DEFAULT_VARIANTS
    return variants * (1 if settings.stems else cues.expected(duration_s))


def _violations(status: Status) -> Iterator[BadRequest.FieldViolation]:
    for detail in status.details:
        bad = BadRequest()
        if detail.Unpack(bad):
            yield from bad.field_violations
