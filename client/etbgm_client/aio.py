"""The client for asyncio."""

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Self

import grpc
from google.protobuf.message import Message

from etbgm.gateway.v1 import capabilities_pb2, gateway_pb2_grpc, queue_pb2, transfers_pb2
from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_client.calls import CALL_S, Answer, Calls, Method
from etbgm_client.credentials import Tls, default_key, default_tls
from etbgm_client.errors import ApiError
from etbgm_client.keys import Keys
from etbgm_client.results import files_of
from etbgm_client.shares import Shares
from etbgm_client.webhooks import Webhooks

CONNECT_S = 10.0
"""How long a new client waits for its gateway, for example while port forwarding starts."""

RECONNECT_S, PAUSE_S = 60.0, 0.5
"""How long the gateway may be unavailable while a job is watched, and the pause between two attempts."""

_RESUMED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED)
"""Errors after which an upload is resumed."""

UPLOAD_ATTEMPTS = 5
"""Total number of attempts to send an upload."""

BLOCK_BYTES = 1 << 20
"""Bytes in one upload message, the most that the gateway accepts."""

_OPTIONS = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    # This is also the timeout of a connection attempt.
    ("grpc.min_reconnect_backoff_ms", 5000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A machine that vanishes closes no connection, so without pings a watched job would hang.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # gRPC waits for the longer of these two timeouts; this one is a minute by default.
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)


class AsyncClient:
    """Client of one gateway, an async context manager. Methods raise ApiError if the gateway refuses."""

    def __init__(self, address: str, key: str | None = None, tls: Tls | None = None) -> None:
        """`address` is host:port or unix:/path.

        `key` is a key or token, `tls` how to connect by TLS; None for both selects what the environment
        says (see credentials.py).
        """
        self._address = address
        key = default_key(address) if key is None else key
        self._metadata = (("authorization", f"Bearer {key}"),) if key else ()
        self._call = Calls(self._metadata)
        self._tls = default_tls() if tls is None else tls

    async def __aenter__(self) -> Self:
        """Connects to the gateway and returns the client. Raises ApiError after CONNECT_S, OSError."""
        if self._tls:
            credentials = self._tls.credentials()
            self._channel = grpc.aio.secure_channel(self._address, credentials, options=_OPTIONS)
        else:
            self._channel = grpc.aio.insecure_channel(self._address, options=_OPTIONS)
        self._stub = gateway_pb2_grpc.GatewayServiceStub(self._channel)
        self.keys = Keys(self._channel, self._call)
        self.shares = Shares(self._channel, self._call)
        self.webhooks = Webhooks(self._channel, self._call)
        try:
            await asyncio.wait_for(self._channel.channel_ready(), CONNECT_S)
        except TimeoutError:
            await self._channel.close()
            raise ApiError.unreachable(f"no gateway answers at {self._address}") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the channel."""
        await self._channel.close()

    async def upload(self, path: Path, media_type: str = "") -> media_pb2.Artifact:
        """Uploads the file at `path`. Resumes if the connection breaks. Raises OSError."""
        upload_id, sha256 = uuid.uuid4().hex, await asyncio.to_thread(_sha256_of, path)
        for attempt in range(UPLOAD_ATTEMPTS):
            try:
                opening = pb.UploadOpening(
                    upload_id=upload_id,
                    offset_bytes=await self._received(upload_id) if attempt else 0,
                    size_bytes=path.stat().st_size,
                    media_type=media_type,
                    sha256=sha256,
                )
                return (await self._stub.UploadVideo(_parts(path, opening), metadata=self._metadata)).video
            except grpc.aio.AioRpcError as error:
                if error.code() not in _RESUMED or attempt == UPLOAD_ATTEMPTS - 1:
                    raise ApiError.of(error) from None
        raise AssertionError("the last attempt returns or raises")

    async def create_job(
        self,
        video: media_pb2.Artifact | str,
        settings: pb.JobSettings | None = None,
        request_id: str = "",
        *,
        destination: transfers_pb2.Destination | None = None,
        webhook_url: str = "",
        labels: Mapping[str, str] | None = None,
        user_metadata: Mapping[str, str] | None = None,
        priority: int = 0,
    ) -> pb.Job:
        """Queues a job and returns it. Repeating a `request_id` does not create a second job.

        `video` is what `upload` returned, or a URL that the gateway fetches it from; files of the result
        are copied to `destination`.
        `webhook_url` hears of the job's end; see `webhooks`.
        While the gateway is busy, repeats the request when the gateway asks for it, for up to CALL_S.
        """
        request = pb.CreateJobRequest(
            video=None if isinstance(video, str) else video,
            source_url=video if isinstance(video, str) else "",
            destination=destination,
            settings=settings,
            request_id=request_id or uuid.uuid4().hex,
            webhook_url=webhook_url,
            labels=labels,
            user_metadata=user_metadata,
            priority=priority,
        )
        return (await self._patiently(self._stub.CreateJob, request)).job

    async def remix_job(self, remix: pb.RemixJobRequest) -> pb.Job:
        """Queues a job like another one with other settings, and returns it; repeats it as `create_job`."""
        request = pb.RemixJobRequest()
        request.CopyFrom(remix)
        request.request_id = remix.request_id or uuid.uuid4().hex
        return (await self._patiently(self._stub.RemixJob, request)).job

    async def get_job(self, job_id: str) -> pb.Job:
        """Returns the job in its current state."""
        return (await self._call(self._stub.GetJob, pb.GetJobRequest(job_id=job_id))).job

    async def list_jobs(self, limit: int = 20, matching: str = "", order_by: str = "") -> list[pb.Job]:
        """Returns up to `limit` jobs that fulfil `matching` (AIP-160), by `order_by` or newest first."""
        jobs: list[pb.Job] = []
        request = pb.ListJobsRequest(filter=matching, order_by=order_by)
        while len(jobs) < limit:
            request.page_size = min(100, limit - len(jobs))
            page = await self._call(self._stub.ListJobs, request)
            jobs += page.jobs
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        return jobs

    async def watch(self, job_id: str, after_sequence: int = 0) -> AsyncGenerator[pb.Job, None]:
        """Yields the job now and after every change, until it is finished.

        With the `sequence` of an update received before, the first one comes when the job has changed since.
        Reconnects if the gateway is unavailable for up to RECONNECT_S, and continues where it was. Pings
        detect a silently broken connection within 20 s.
        """
        lost_at: float | None = None
        while True:
            request = pb.WatchJobRequest(job_id=job_id, after_sequence=after_sequence)
            call = self._stub.WatchJob(request, metadata=self._metadata)
            try:
                while (response := await _within(call.read(), lost_at)) is not grpc.aio.EOF:
                    assert isinstance(response, pb.WatchJobResponse)
                    lost_at = None
                    if not response.heartbeat:
                        after_sequence = response.job.sequence
                        yield response.job
                return
            except grpc.aio.AioRpcError as error:
                lost_at = lost_at or time.monotonic()
                is_restart = error.code() == grpc.StatusCode.UNAVAILABLE
                if not is_restart or time.monotonic() - lost_at > RECONNECT_S:
                    raise ApiError.of(error) from None
            except TimeoutError:
                raise ApiError.unreachable(f"no gateway has answered for {RECONNECT_S:.0f} s") from None
            finally:
                call.cancel()
            await asyncio.sleep(PAUSE_S)

    async def wait(self, job_id: str) -> pb.Job:
        """Waits until the job has succeeded and returns it. Raises ApiError if it fails or is cancelled."""
        *_, job = [job async for job in self.watch(job_id)]
        if job.state != pb.STATE_SUCCEEDED:
            job.error.message = job.error.message or "the job was cancelled"
            raise ApiError(job.error)
        return job

    async def select_variant(self, job_id: str, number: int) -> pb.Job:
        """Notes the chosen variant, from 1, or 0 for none, and returns the job."""
        request = pb.SelectVariantRequest(job_id=job_id, number=number)
        return (await self._call(self._stub.SelectVariant, request)).job

    async def cancel_job(self, job_id: str) -> pb.Job:
        """Cancels the job and returns it."""
        return (await self._call(self._stub.CancelJob, pb.CancelJobRequest(job_id=job_id))).job

    async def delete_job(self, job_id: str) -> None:
        """Deletes a finished job and its artifacts that no other job holds."""
        await self._call(self._stub.DeleteJob, pb.DeleteJobRequest(job_id=job_id))

    async def queue_stats(self) -> queue_pb2.GetQueueStatsResponse:
        """Returns figures on the queue."""
        return await self._call(self._stub.GetQueueStats, queue_pb2.GetQueueStatsRequest())

    async def capabilities(self) -> capabilities_pb2.GetCapabilitiesResponse:
        """Returns styles, languages, engines and limits."""
        return await self._call(self._stub.GetCapabilities, capabilities_pb2.GetCapabilitiesRequest())

    async def upload_link(self, media_type: str = "") -> transfers_pb2.CreateUploadLinkResponse:
        """Returns a link by which another program can send a video to the artifact store itself."""
        request = transfers_pb2.CreateUploadLinkRequest(media_type=media_type)
        return await self._call(self._stub.CreateUploadLink, request)

    async def download_link(self, artifact: media_pb2.Artifact) -> str:
        """Returns a link by which the artifact can be read, for an hour and without a key."""
        request = transfers_pb2.CreateDownloadLinkRequest(uri=artifact.uri)
        return (await self._call(self._stub.CreateDownloadLink, request)).url

    async def download(self, artifact: media_pb2.Artifact, path: Path) -> None:
        """Downloads the artifact to `path`. The file appears only when it is complete."""
        arriving = path.with_name(f".{path.name}.part")
        try:
            with arriving.open("wb") as file:
                request = pb.DownloadArtifactRequest(uri=artifact.uri)
                async for block in self._stub.DownloadArtifact(request, metadata=self._metadata):
                    file.write(block.data)
            arriving.replace(path)
        except grpc.aio.AioRpcError as error:
            raise ApiError.of(error) from None
        finally:
            arriving.unlink(missing_ok=True)

    async def fetch(self, result: pb.JobResult, folder: Path) -> None:
        """Downloads all artifacts of `result` into `folder`. Raises UnsafeName."""
        for name, artifact in list(files_of(result)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            await self.download(artifact, folder / name)

    async def _patiently(self, method: Method[Answer], request: Message) -> Answer:
        """Makes a call, again when a busy gateway asks for it, for up to CALL_S."""
        ends_at = time.monotonic() + CALL_S
        while True:
            try:
                return await self._call(method, request)
            except ApiError as error:
                pause_s = error.retry_after_s
                if pause_s is None or time.monotonic() + pause_s > ends_at:
                    raise
                await asyncio.sleep(pause_s)

    async def _received(self, upload_id: str) -> int:
        try:
            request = pb.GetUploadRequest(upload_id=upload_id)
            return (
                await self._stub.GetUpload(request, timeout=CALL_S, metadata=self._metadata)
            ).received_bytes
        except grpc.aio.AioRpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return 0
            raise


async def _within(read: Awaitable[Answer], lost_at: float | None) -> Answer:
    """Awaits `read`. Raises TimeoutError if the connection was lost more than RECONNECT_S ago."""
    left_s = None if lost_at is None else max(0.0, lost_at + RECONNECT_S - time.monotonic())
    return await asyncio.wait_for(read, left_s)


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _parts(path: Path, opening: pb.UploadOpening) -> AsyncIterator[pb.UploadVideoRequest]:
    yield pb.UploadVideoRequest(opening=opening)
    with path.open("rb") as file:
        file.seek(opening.offset_bytes)
        while block := file.read(BLOCK_BYTES):
            yield pb.UploadVideoRequest(data=block)
