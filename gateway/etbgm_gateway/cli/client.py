"""The gateway's API as a Python client sees it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import grpc
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import gateway_pb2_grpc
from etbgm.media.v1 import media_pb2
from etbgm_kit.status import RemoteError, error_from_rpc
from etbgm_kit.store import BLOCK_BYTES

Answer = TypeVar("Answer")

CONNECT_S = 10.0
"""So long a gateway is waited for, as behind a port that is just being forwarded."""

_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 200), ("grpc.max_reconnect_backoff_ms", 1000))

CALL_TIMEOUT_S = 60.0
"""Deadline of calls that answer at once; CreateJob looks at the video meanwhile."""

PATIENCE_S, PAUSE_S = 60.0, 0.5
"""How long a gateway may be away while a job is watched, and how often it is asked for meanwhile."""

UPLOAD_ATTEMPTS = 5
"""How often a broken upload is resumed."""


class GatewayClient:
    """Calls one gateway. Every method raises RemoteError when the gateway refuses."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self._stub = gateway_pb2_grpc.GatewayServiceStub(self._channel)

    async def __aenter__(self) -> "GatewayClient":
        """The client itself, once the gateway answers: it may be about to start."""
        try:
            await asyncio.wait_for(self._channel.channel_ready(), CONNECT_S)
        except TimeoutError:
            await self._channel.close()
            message = f"no gateway answers at {self._address}"
            raise RemoteError(Status(code=code_pb2.UNAVAILABLE, message=message)) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the channel."""
        await self._channel.close()

    async def upload(self, path: Path, media_type: str = "") -> media_pb2.Artifact:
        """Stores the file at `path`, resuming where a broken connection left off."""
        upload_id = uuid.uuid4().hex
        for attempt in range(UPLOAD_ATTEMPTS):
            try:
                start = await self._received(upload_id) if attempt else 0
                parts = _parts(path, upload_id, start, media_type)
                return (await self._stub.UploadVideo(parts)).video
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE or attempt == UPLOAD_ATTEMPTS - 1:
                    raise error_from_rpc(error) from None
        raise AssertionError("the last attempt returns or raises")

    async def create_job(self, video: media_pb2.Artifact, settings: pb.JobSettings) -> pb.Job:
        """Queues a job and returns it."""
        request = pb.CreateJobRequest(video=video, settings=settings, request_id=uuid.uuid4().hex)
        return (await _ask(self._stub.CreateJob(request, timeout=CALL_TIMEOUT_S))).job

    async def get_job(self, job_id: str) -> pb.Job:
        """The job as it stands."""
        request = pb.GetJobRequest(job_id=job_id)
        return (await _ask(self._stub.GetJob(request, timeout=CALL_TIMEOUT_S))).job

    async def list_jobs(self, limit: int) -> list[pb.Job]:
        """The newest `limit` jobs, newest first."""
        jobs: list[pb.Job] = []
        token = ""
        while len(jobs) < limit:
            request = pb.ListJobsRequest(page_size=min(100, limit - len(jobs)), page_token=token)
            page = await _ask(self._stub.ListJobs(request, timeout=CALL_TIMEOUT_S))
            jobs += page.jobs
            token = page.next_page_token
            if not token:
                break
        return jobs

    async def watch(self, job_id: str) -> AsyncIterator[pb.Job]:
        """The job now and after every change, until it is finished; outlives a gateway's restart."""
        lost_at: float | None = None
        while True:
            try:
                async for response in self._stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
                    lost_at = None
                    yield response.job
                return
            except grpc.aio.AioRpcError as error:
                lost_at = lost_at or time.monotonic()
                is_restart = error.code() == grpc.StatusCode.UNAVAILABLE
                if not is_restart or time.monotonic() - lost_at > PATIENCE_S:
                    raise error_from_rpc(error) from None
            await asyncio.sleep(PAUSE_S)

    async def cancel_job(self, job_id: str) -> pb.Job:
        """Stops the job."""
        request = pb.CancelJobRequest(job_id=job_id)
        return (await _ask(self._stub.CancelJob(request, timeout=CALL_TIMEOUT_S))).job

    async def download(self, artifact: media_pb2.Artifact, path: Path) -> None:
        """Writes the artifact's bytes to `path`, which appears only when they are all there."""
        arriving = path.with_name(f".{path.name}.part")
        try:
            with arriving.open("wb") as file:
                async for block in self._stub.DownloadArtifact(pb.DownloadArtifactRequest(uri=artifact.uri)):
                    file.write(block.data)
            arriving.replace(path)
        except grpc.aio.AioRpcError as error:
            raise error_from_rpc(error) from None
        finally:
            arriving.unlink(missing_ok=True)

    async def _received(self, upload_id: str) -> int:
        try:
            response = await self._stub.GetUpload(
                pb.GetUploadRequest(upload_id=upload_id), timeout=CALL_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return 0
            raise
        return response.received_bytes


async def _ask(call: Awaitable[Answer]) -> Answer:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise error_from_rpc(error) from None


async def _parts(
    path: Path, upload_id: str, start: int, media_type: str
) -> AsyncIterator[pb.UploadVideoRequest]:
    size = path.stat().st_size
    opening = pb.UploadOpening(
        upload_id=upload_id, offset_bytes=start, size_bytes=size, media_type=media_type
    )
    yield pb.UploadVideoRequest(opening=opening)
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK_BYTES):
            yield pb.UploadVideoRequest(data=block)
