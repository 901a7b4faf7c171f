"""What a job moves: its video from a source in its first step, its files to a destination in its last."""

import asyncio
from dataclasses import dataclass
from functools import partial

from etbgm.gateway.v1 import gateway_pb2, transfers_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.outgoing.destinations import Destinations
from etbgm_gateway.outgoing.sources import Sources
from etbgm_gateway.pipeline.pieces import check_variants, variants_of
from etbgm_gateway.pipeline.steps import Steps, together
from etbgm_gateway.results.files import files_of
from etbgm_gateway.store.database import when_reachable
from etbgm_gateway.store.jobs import JobRow, JobStore
from etbgm_gateway.store.quotas import Quotas
from etbgm_kit.converters import artifact_to_pb


@dataclass(frozen=True, slots=True)
class Transfers:
    """What moves bytes for all jobs."""

    sources: Sources
    destinations: Destinations
    jobs: JobStore
    quotas: Quotas
    variant_s: float
    """Most seconds of video times variants of one job."""


class Transport:
    """The video and the files of one job."""

    def __init__(self, transfers: Transfers, job: JobRow, request: gateway_pb2.CreateJobRequest) -> None:
        self._transfers, self._job, self._request = transfers, job, request

    @property
    def is_awaited(self) -> bool:
        """Whether the video comes from a source."""
        return bool(self._request.source_url)

    async def fetch(self, steps: Steps) -> media_pb2.Artifact:
        """Fetches the video in a step that counts towards INGEST. Raises StageFailed."""
        on_fraction = steps.progress.part(gateway_pb2.STAGE_INGEST)

        async def fetched() -> media_pb2.Artifact:
            url, tenant = self._request.source_url, self._job.tenant
            return artifact_to_pb(await self._transfers.sources.fetch(url, tenant, on_fraction))

        video = await steps.run("FETCH", media_pb2.Artifact, fetched)
        on_fraction(1.0)
        return video

    async def accept(self, video: media_pb2.Artifact, duration_s: float) -> None:
        """Checks against the limits what CreateJob could not. Raises InvalidField, QuotaExceeded."""
        settings, transfers = self._request.settings, self._transfers
        check_variants(settings, duration_s, transfers.variant_s)
        media_s = duration_s * variants_of(settings)
        spend = partial(transfers.quotas.spend_video, tenant=self._job.tenant, video_s=duration_s)
        arrive = partial(transfers.jobs.arrive, self._job.job_id, video.SerializeToString(), media_s, spend)
        await when_reachable(arrive, self._job.job_id)
        await asyncio.to_thread(transfers.sources.forget, self._request.source_url, self._job.tenant)

    async def deliver(self, steps: Steps, result: gateway_pb2.JobResult) -> None:
        """Copies the chosen files and notes in the result where they are. Raises StageFailed."""
        copies = [
            steps.run(f"DELIVER {file.name}", transfers_pb2.File, partial(self._copied, file))
            for file in files_of(result)
            if self._is_wanted(file)
        ]
        if copies:
            result.files.extend(await together(copies))

    async def _copied(self, file: transfers_pb2.File) -> transfers_pb2.File:
        url = await self._transfers.destinations.deliver(file, self._request.destination.url)
        return transfers_pb2.File(name=file.name, kind=file.kind, delivered_url=url)

    def _is_wanted(self, file: transfers_pb2.File) -> bool:
        if not self._request.HasField("destination"):
            return False
        return not self._request.destination.kinds or file.kind in self._request.destination.kinds
