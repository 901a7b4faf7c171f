"""The client for programs without asyncio: runs AsyncClient on an event loop in a separate thread."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

from etbgm.gateway.v1 import capabilities_pb2, queue_pb2, shares_pb2, transfers_pb2, webhooks_pb2
from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_client.aio import AsyncClient
from etbgm_client.credentials import Tls

Answer = TypeVar("Answer")


class Client:
    """Client of one gateway, a context manager. Methods block, are thread-safe and raise ApiError."""

    def __init__(self, address: str, key: str | None = None, tls: Tls | None = None) -> None:
        """See AsyncClient."""
        self._client = AsyncClient(address, key, tls)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="etbgm-client", daemon=True)

    def __enter__(self) -> Self:
        """Connects to the gateway and returns the client. Raises ApiError."""
        self._thread.start()
        try:
            self._run(self._client.__aenter__())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the connection."""
        self._run(self._client.__aexit__())
        self._end()

    def upload(self, path: Path, media_type: str = "") -> media_pb2.Artifact:
        """See AsyncClient.upload."""
        return self._run(self._client.upload(path, media_type))

    def create_job(
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
        """See AsyncClient.create_job."""
        created = self._client.create_job(
            video,
            settings,
            request_id,
            destination=destination,
            webhook_url=webhook_url,
            labels=labels,
            user_metadata=user_metadata,
            priority=priority,
        )
        return self._run(created)

    def remix_job(self, remix: pb.RemixJobRequest) -> pb.Job:
        """See AsyncClient.remix_job."""
        return self._run(self._client.remix_job(remix))

    def get_job(self, job_id: str) -> pb.Job:
        """See AsyncClient.get_job."""
        return self._run(self._client.get_job(job_id))

    def list_jobs(self, limit: int = 20, matching: str = "", order_by: str = "") -> list[pb.Job]:
        """See AsyncClient.list_jobs."""
        return self._run(self._client.list_jobs(limit, matching, order_by))

    def watch(self, job_id: str, after_sequence: int = 0) -> Iterator[pb.Job]:
        """See AsyncClient.watch."""
        updates = self._client.watch(job_id, after_sequence)

        async def following() -> pb.Job | None:
            return await anext(updates, None)

        try:
            while (job := self._run(following())) is not None:
                yield job
        finally:
            self._run(updates.aclose())

    def wait(self, job_id: str) -> pb.Job:
        """See AsyncClient.wait."""
        return self._run(self._client.wait(job_id))

    def select_variant(self, job_id: str, number: int) -> pb.Job:
        """See AsyncClient.select_variant."""
        return self._run(self._client.select_variant(job_id, number))

    def queue_stats(self) -> queue_pb2.GetQueueStatsResponse:
        """See AsyncClient.queue_stats."""
        return self._run(self._client.queue_stats())

    def capabilities(self) -> capabilities_pb2.GetCapabilitiesResponse:
        """See AsyncClient.capabilities."""
        return self._run(self._client.capabilities())

    def cancel_job(self, job_id: str) -> pb.Job:
        """See AsyncClient.cancel_job."""
        return self._run(self._client.cancel_job(job_id))

    def delete_job(self, job_id: str) -> None:
        """See AsyncClient.delete_job."""
        self._run(self._client.delete_job(job_id))

    def rotate_webhook_secret(self) -> str:
        """See Webhooks.rotate_secret."""
        return self._run(self._client.webhooks.rotate_secret())

    def create_webhook(self, url: str) -> webhooks_pb2.Webhook:
        """See Webhooks.create."""
        return self._run(self._client.webhooks.create(url))

    def list_webhooks(self) -> list[webhooks_pb2.Webhook]:
        """See Webhooks.list."""
        return self._run(self._client.webhooks.list())

    def delete_webhook(self, webhook_id: str) -> None:
        """See Webhooks.delete."""
        self._run(self._client.webhooks.delete(webhook_id))

    def test_webhook(self, url: str) -> webhooks_pb2.TestWebhookResponse:
        """See Webhooks.test."""
        return self._run(self._client.webhooks.test(url))

    def create_share(self, job_id: str, lifetime: timedelta | None = None) -> shares_pb2.CreateShareResponse:
        """See Shares.create."""
        return self._run(self._client.shares.create(job_id, lifetime))

    def list_shares(self, job_id: str) -> list[shares_pb2.Share]:
        """See Shares.list."""
        return self._run(self._client.shares.list(job_id))

    def delete_share(self, job_id: str, share_id: str) -> None:
        """See Shares.delete."""
        self._run(self._client.shares.delete(job_id, share_id))

    def upload_link(self, media_type: str = "") -> transfers_pb2.CreateUploadLinkResponse:
        """See AsyncClient.upload_link."""
        return self._run(self._client.upload_link(media_type))

    def download_link(self, artifact: media_pb2.Artifact) -> str:
        """See AsyncClient.download_link."""
        return self._run(self._client.download_link(artifact))

    def download(self, artifact: media_pb2.Artifact, path: Path) -> None:
        """See AsyncClient.download."""
        self._run(self._client.download(artifact, path))

    def fetch(self, result: pb.JobResult, folder: Path) -> None:
        """See AsyncClient.fetch."""
        self._run(self._client.fetch(result, folder))

    def _run(self, call: Coroutine[Any, Any, Answer]) -> Answer:
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        try:
            return future.result()
        except BaseException:
            # Ctrl-C must cancel the call too.
            future.cancel()
            raise

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
