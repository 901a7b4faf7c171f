"""The client's part for webhooks."""

import grpc

from etbgm.gateway.v1 import webhooks_pb2 as pb
from etbgm.gateway.v1 import webhooks_pb2_grpc
from etbgm_client.calls import Calls


class Webhooks:
    """Manages the webhooks of the caller's tenant. Methods raise ApiError if the gateway refuses."""

    def __init__(self, channel: grpc.aio.Channel, call: Calls) -> None:
        self._stub, self._call = webhooks_pb2_grpc.WebhookServiceStub(channel), call

    async def rotate_secret(self) -> str:
        """Creates or replaces the secret that signs events, and returns it: it cannot be read again."""
        return (await self._call(self._stub.RotateWebhookSecret, pb.RotateWebhookSecretRequest())).secret

    async def create(self, url: str) -> pb.Webhook:
        """Registers an address that hears of the end of all jobs."""
        return (await self._call(self._stub.CreateWebhook, pb.CreateWebhookRequest(url=url))).webhook

    async def list(self) -> list[pb.Webhook]:
        """Returns all webhooks, oldest first."""
        return [*(await self._call(self._stub.ListWebhooks, pb.ListWebhooksRequest())).webhooks]

    async def delete(self, webhook_id: str) -> None:
        """Deletes a webhook."""
        await self._call(self._stub.DeleteWebhook, pb.DeleteWebhookRequest(webhook_id=webhook_id))

    async def test(self, url: str) -> pb.TestWebhookResponse:
        """Sends a test event to the address and returns how it answered."""
        return await self._call(self._stub.TestWebhook, pb.TestWebhookRequest(url=url))
