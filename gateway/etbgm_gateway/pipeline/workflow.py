"""A job as a durable DBOS workflow."""

import asyncio
from functools import partial

from dbos import DBOS, DBOSConfiguredInstance

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.pipeline.changes import Parent
from etbgm_gateway.pipeline.progress import Progress
from etbgm_gateway.pipeline.stages import Stages
from etbgm_gateway.pipeline.steps import StageFailed, StepContext, Steps, internal_failure
from etbgm_gateway.pipeline.transport import Transfers, Transport
from etbgm_gateway.results.assemble import Results
from etbgm_gateway.store.database import when_reachable
from etbgm_gateway.store.jobs import JobRow, JobStore
from etbgm_gateway.upstream.clients import Clients
from etbgm_kit.errors import Conflict, EtbgmError
from etbgm_kit.serving import tracing
from etbgm_kit.serving.status import status_of

MOST_STARTS = 20
"""A job that was started this often without ending is given up, because it crashes the gateway."""


PIPELINE_CLASS, JOB_WORKFLOW = "Pipeline", "job"
"""Names under which DBOS stores a job's workflow."""


@DBOS.dbos_class(PIPELINE_CLASS)
class Pipeline(DBOSConfiguredInstance):
    """Runs jobs; one instance per process, created before DBOS is launched."""

    def __init__(
        self,
        clients: Clients,
        jobs: JobStore,
        steps: StepContext,
        transfers: Transfers,
        stopping: asyncio.Event,
    ) -> None:
        """Starts no more jobs once `stopping` is set."""
        super().__init__(config_name="pipeline")
        self._clients, self._jobs, self._steps = clients, jobs, steps
        self._transfers, self._results = transfers, Results(steps.store)
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = stopping

    @DBOS.workflow(name=JOB_WORKFLOW, max_recovery_attempts=None)
    async def run(self, job_id: str) -> None:
        """Runs the job to its end: SUCCEEDED with a result or FAILED with a status."""
        if self._stopping.is_set():
            # DBOS keeps dispatching jobs until it is destroyed.
            raise asyncio.CancelledError
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await self._run(job_id)
        finally:
            self._running.discard(task)

    async def _run(self, job_id: str) -> None:
        try:
            job = await when_reachable(partial(self._jobs.begin, job_id), job_id)
            if job is None:
                return
            with tracing.span("job", job.trace_parent or "", **{"etbgm.job_id": job_id}):
                result = (await self._attempt(job)).SerializeToString()
            await when_reachable(partial(self._jobs.finish, job_id, "SUCCEEDED", result=result), job_id)
            return
        except StageFailed as failure:
            error = failure.status
        except EtbgmError as failure:
            error = status_of(failure)
        except Exception as failure:
            error = internal_failure(failure, job_id=job_id)
        failed = error.SerializeToString()
        await when_reachable(partial(self._jobs.finish, job_id, "FAILED", error=failed), job_id)

    async def _attempt(self, job: JobRow) -> gateway_pb2.JobResult:
        if job.starts > MOST_STARTS:
            raise Conflict("the job was interrupted too often", starts=job.starts)
        request = gateway_pb2.CreateJobRequest.FromString(job.request)
        async with Progress(self._jobs, self._steps.holdings, job) as progress:
            steps = Steps(self._steps, progress, is_first_start=job.starts == 1)
            steps.hold(request)
            transport = Transport(self._transfers, job, request)
            parent = await self._parent(job)
            return await _make(Stages(request, self._clients, steps, self._results, transport, parent))

    async def _parent(self, job: JobRow) -> Parent | None:
        """Returns what a remix derives from; None if it is deleted, or if the job has been interrupted."""
        if job.parent_job_id is None or job.starts > 1:
            return None
        rows = await asyncio.to_thread(self._jobs.several, [job.parent_job_id])
        for row in rows:
            if row.result is not None:
                settings = gateway_pb2.CreateJobRequest.FromString(row.request).settings
                return Parent(settings, gateway_pb2.JobResult.FromString(row.result), row.selected_variant)
        return None

    async def stop(self) -> None:
        """Interrupts running jobs; DBOS resumes them after the next start."""
        self._stopping.set()
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _make(stages: Stages) -> gateway_pb2.JobResult:
    media = await stages.ingest()
    async with stages.watching(media) as watched:
        stems = await stages.separate(media)
        transcript = await stages.transcribe(media, stems)
        seen = await watched
    analysis = await stages.analyze(media, stems, transcript, seen)
    await stages.show_change(media, stems, analysis.timeline, seen)
    music_beds = await stages.generate(stems, analysis.timeline, seen)
    return await stages.mix(media, stems, transcript, analysis, music_beds, seen)
