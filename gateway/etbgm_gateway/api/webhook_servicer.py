"""WebhookService: decode, call, encode."""

import asyncio
import secrets

from etbgm.gateway.v1 import webhooks_pb2 as pb
from etbgm.gateway.v1 import webhooks_pb2_grpc
from etbgm_gateway.api.converters import timestamp_to_pb
from etbgm_gateway.api.receivers import Receivers
from etbgm_gateway.identity.types import current_tenant
from etbgm_gateway.outgoing.webhook import WebhookSender
from etbgm_gateway.queue.deliveries import event_of
from etbgm_gateway.store.webhooks import WebhookRow, WebhookStore
from etbgm_kit.serving.interceptor import Context


class WebhookServicer(webhooks_pb2_grpc.WebhookServiceServicer):
    """Manages a tenant's webhooks over gRPC."""

    def __init__(self, webhooks: WebhookStore, sender: WebhookSender, receivers: Receivers) -> None:
        self._webhooks, self._sender, self._receivers = webhooks, sender, receivers

    async def CreateWebhook(
        self, request: pb.CreateWebhookRequest, context: Context
    ) -> pb.CreateWebhookResponse:
        """See webhooks.proto."""
        await self._receivers.check(request.url, "url")
        row = await asyncio.to_thread(self._webhooks.add, current_tenant(), request.url)
        return pb.CreateWebhookResponse(webhook=_webhook_to_pb(row))

    async def ListWebhooks(
        self, request: pb.ListWebhooksRequest, context: Context
    ) -> pb.ListWebhooksResponse:
        """See webhooks.proto."""
        rows = await asyncio.to_thread(self._webhooks.of, current_tenant())
        return pb.ListWebhooksResponse(webhooks=map(_webhook_to_pb, rows))

    async def DeleteWebhook(
        self, request: pb.DeleteWebhookRequest, context: Context
    ) -> pb.DeleteWebhookResponse:
        """See webhooks.proto."""
        await asyncio.to_thread(self._webhooks.delete, current_tenant(), request.webhook_id)
        return pb.DeleteWebhookResponse()

    async def RotateWebhookSecret(
        self, request: pb.RotateWebhookSecretRequest, context: Context
    ) -> pb.RotateWebhookSecretResponse:
        """See webhooks.proto."""
        secret = await asyncio.to_thread(self._webhooks.rotate_secret, current_tenant())
        return pb.RotateWebhookSecretResponse(secret=secret)

    async def TestWebhook(self, request: pb.TestWebhookRequest, context: Context) -> pb.TestWebhookResponse:
        """See webhooks.proto."""
        signing = await self._receivers.check(request.url, "url")
        event_id = f"test.{secrets.token_hex(12)}"
        answer = await self._sender.send(request.url, event_id, event_of("test", {}), signing)
        return pb.TestWebhookResponse(http_status=answer.http_status, error=answer.error)


def _webhook_to_pb(row: WebhookRow) -> pb.Webhook:
    return pb.Webhook(
        webhook_id=row.webhook_id,
        url=row.url,
        create_time=timestamp_to_pb(row.create_time_s),
        gone_time=timestamp_to_pb(row.gone_time_s),
    )
