"""The client's part for webhooks."""

import grpc

from etbgm.gateway.v1 import webhooks_pb2 as pb
from etbgm.gateway.v1 import webhooks_pb2_grpc
from etbgm_client.errors import ask

CALL_S = 60.0
"""Deadline of a call."""


class Webhooks:
    """Manages the webhooks of the caller's tenant. Methods raise ApiError if the gateway refuses."""

    def __init__(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        self._stub, self._metadata = webhooks_pb2_grpc.WebhookServiceStub(channel), metadata

    async def rotate_secret(self) -> str:
        """Creates or replaces the secret that signs events, and returns it: it cannot be read again."""
        request = pb.RotateWebhookSecretRequest()
        call = self._stub.RotateWebhookSecret(request, timeout=CALL_S, metadata=self._metadata)
        return (await ask(call)).secret

    async def create(self, url: str) -> pb.Webhook:
        """Registers an address that hears of the end of all jobs."""
        request = pb.CreateWebhookRequest(url=url)
        return (await ask(self._stub.CreateWebhook(request, timeout=CALL_S, metadata=self._metadata))).webhook

    async def list(self) -> list[pb.Webhook]:
        """Returns all webhooks, oldest first."""
        request = pb.ListWebhooksRequest()
        return [
            *(await ask(self._stub.ListWebhooks(request, timeout=CALL_S, metadata=self._metadata))).webhooks
        ]

    async def delete(self, webhook_id: str) -> None:
        """Deletes a webhook."""
        request = pb.DeleteWebhookRequest(webhook_id=webhook_id)
        await ask(self._stub.DeleteWebhook(request, timeout=CALL_S, metadata=self._metadata))

    async def test(self, url: str) -> pb.TestWebhookResponse:
        """Sends a test event to the address and returns how it answered."""
        request = pb.TestWebhookRequest(url=url)
        return await ask(self._stub.TestWebhook(request, timeout=CALL_S, metadata=self._metadata))
