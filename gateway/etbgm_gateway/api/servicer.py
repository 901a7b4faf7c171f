"""GatewayService: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator

from etbgm.gateway.v1 import capabilities_pb2, gateway_pb2, gateway_pb2_grpc, queue_pb2, transfers_pb2
from etbgm.media.v1 import media_pb2
from etbgm_gateway.api.capabilities import Capabilities
from etbgm_gateway.api.errors import UploadIdle
from etbgm_gateway.api.job_service import JobService
from etbgm_gateway.api.links import Links
from etbgm_gateway.api.ownership import Ownership, owner_of_uploads
from etbgm_gateway.api.queue_stats import QueueStats
from etbgm_gateway.api.uploads import Opening, Received, Uploads
from etbgm_kit.artifacts.addresses import ANY_TYPE
from etbgm_kit.artifacts.store import BLOCK_BYTES
from etbgm_kit.converters import artifact_to_pb
from etbgm_kit.errors import InvalidField
from etbgm_kit.serving.interceptor import Context

ACCEPTED = (("etbgm-accepted", "true"),)
"""Initial metadata of an upload whose opening has been accepted."""


class GatewayServicer(gateway_pb2_grpc.GatewayServiceServicer):
    """The gateway's gRPC API."""

    def __init__(
        self,
        jobs: JobService,
        uploads: Uploads,
        ownership: Ownership,
        queue_stats: QueueStats,
        capabilities: Capabilities,
        links: Links,
    ) -> None:
        self._jobs, self._uploads, self._ownership = jobs, uploads, ownership
        self._queue_stats, self._capabilities, self._links = queue_stats, capabilities, links

    async def UploadVideo(
        self, request_iterator: AsyncIterator[gateway_pb2.UploadVideoRequest], context: Context
    ) -> gateway_pb2.UploadVideoResponse:
        """See gateway.proto."""
        requests = _not_idle(request_iterator, self._uploads.idle_s)
        opening = _opening(await anext(requests, gateway_pb2.UploadVideoRequest()))
        arriving = await asyncio.to_thread(self._uploads.begin, opening)
        try:
            # Callers may wait for this before they send bytes that could be refused.
            await context.send_initial_metadata(ACCEPTED)
            async for request in requests:
                await asyncio.to_thread(arriving.append, _data(request))
            received = await asyncio.to_thread(self._uploads.settle, opening, arriving)
            if received.artifact:
                await asyncio.to_thread(self._ownership.hold_upload, opening.key, received.artifact)
        finally:
            # In a thread: it waits for work that a cancelled call may still be doing in another.
            await asyncio.to_thread(self._uploads.close, opening, arriving)
        return gateway_pb2.UploadVideoResponse(received_bytes=received.size_bytes, video=_video(received))

    async def GetUpload(
        self, request: gateway_pb2.GetUploadRequest, context: Context
    ) -> gateway_pb2.GetUploadResponse:
        """See gateway.proto."""
        received = await asyncio.to_thread(self._uploads.received, request.upload_id, owner_of_uploads())
        return gateway_pb2.GetUploadResponse(
            received_bytes=received.size_bytes,
            video=_video(received),
            size_bytes=received.announced.size_bytes,
            media_type=received.announced.media_type,
            sha256=received.announced.sha256,
        )

    async def CreateUploadLink(
        self, request: transfers_pb2.CreateUploadLinkRequest, context: Context
    ) -> transfers_pb2.CreateUploadLinkResponse:
        """See gateway.proto."""
        return await self._links.upload(request)

    async def CreateDownloadLink(
        self, request: transfers_pb2.CreateDownloadLinkRequest, context: Context
    ) -> transfers_pb2.CreateDownloadLinkResponse:
        """See gateway.proto."""
        return await self._links.download(request)

    async def CreateJob(
        self, request: gateway_pb2.CreateJobRequest, context: Context
    ) -> gateway_pb2.CreateJobResponse:
        """See gateway.proto."""
        return gateway_pb2.CreateJobResponse(job=await self._jobs.create(request))

    async def RemixJob(
        self, request: gateway_pb2.RemixJobRequest, context: Context
    ) -> gateway_pb2.RemixJobResponse:
        """See gateway.proto."""
        return gateway_pb2.RemixJobResponse(job=await self._jobs.remix(request))

    async def GetJob(
        self, request: gateway_pb2.GetJobRequest, context: Context
    ) -> gateway_pb2.GetJobResponse:
        """See gateway.proto."""
        return gateway_pb2.GetJobResponse(job=await self._jobs.get(request.job_id))

    async def ListJobs(
        self, request: gateway_pb2.ListJobsRequest, context: Context
    ) -> gateway_pb2.ListJobsResponse:
        """See gateway.proto."""
        return await self._jobs.page(request)

    async def WatchJob(
        self, request: gateway_pb2.WatchJobRequest, context: Context
    ) -> AsyncIterator[gateway_pb2.WatchJobResponse]:
        """See gateway.proto."""
        async for response in self._jobs.watch(request.job_id, request.after_sequence):
            yield response

    async def SelectVariant(
        self, request: gateway_pb2.SelectVariantRequest, context: Context
    ) -> gateway_pb2.SelectVariantResponse:
        """See gateway.proto."""
        job = await self._jobs.select_variant(request.job_id, request.number)
        return gateway_pb2.SelectVariantResponse(job=job)

    async def CancelJob(
        self, request: gateway_pb2.CancelJobRequest, context: Context
    ) -> gateway_pb2.CancelJobResponse:
        """See gateway.proto."""
        return gateway_pb2.CancelJobResponse(job=await self._jobs.cancel(request.job_id))

    async def DeleteJob(
        self, request: gateway_pb2.DeleteJobRequest, context: Context
    ) -> gateway_pb2.DeleteJobResponse:
        """See gateway.proto."""
        await self._jobs.delete(request.job_id)
        return gateway_pb2.DeleteJobResponse()

    async def GetQueueStats(
        self, request: queue_pb2.GetQueueStatsRequest, context: Context
    ) -> queue_pb2.GetQueueStatsResponse:
        """See gateway.proto."""
        return await asyncio.to_thread(self._queue_stats.read)

    async def GetCapabilities(
        self, request: capabilities_pb2.GetCapabilitiesRequest, context: Context
    ) -> capabilities_pb2.GetCapabilitiesResponse:
        """See gateway.proto."""
        return await self._capabilities.read()

    async def DownloadArtifact(
        self, request: gateway_pb2.DownloadArtifactRequest, context: Context
    ) -> AsyncIterator[gateway_pb2.DownloadArtifactResponse]:
        """See gateway.proto."""
        length = request.length_bytes if request.HasField("length_bytes") else None
        async for response in self._jobs.download(request.uri, request.offset_bytes, length):
            yield response


def _opening(request: gateway_pb2.UploadVideoRequest) -> Opening:
    if not request.HasField("opening"):
        raise InvalidField("opening", "must come first")
    message = request.opening
    return Opening(
        message.upload_id,
        message.offset_bytes,
        message.size_bytes,
        message.media_type or ANY_TYPE,
        message.sha256,
        owner_of_uploads(),
    )


async def _not_idle(
    requests: AsyncIterator[gateway_pb2.UploadVideoRequest], idle_s: float
) -> AsyncIterator[gateway_pb2.UploadVideoRequest]:
    """Yields the requests. Raises UploadIdle if none comes for `idle_s`."""
    while True:
        try:
            async with asyncio.timeout(idle_s):
                request = await anext(requests)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise UploadIdle(idle_s) from None
        yield request


def _data(request: gateway_pb2.UploadVideoRequest) -> bytes:
    if not request.HasField("data"):
        raise InvalidField("opening", "must come first only")
    if len(request.data) > BLOCK_BYTES:
        raise InvalidField("data", f"must be at most {BLOCK_BYTES} bytes a message")
    return request.data


def _video(received: Received) -> media_pb2.Artifact | None:
    return artifact_to_pb(received.artifact) if received.artifact else None
