"""The addresses that hear of the end of jobs."""

import asyncio

from etbgm_gateway.identity.types import current_tenant
from etbgm_gateway.outgoing.webhook import WebhookSender
from etbgm_gateway.store.webhooks import WebhookStore
from etbgm_kit.errors import Conflict


class Receivers:
    """Checks addresses for the current caller."""

    def __init__(self, webhooks: WebhookStore, sender: WebhookSender) -> None:
        self._webhooks, self._sender = webhooks, sender

    async def check(self, url: str, field: str) -> list[str]:
        """Returns the secrets that sign the tenant's events.

        Raises InvalidField (events cannot be sent to such a URL), Conflict (there is no secret).
        """
        self._sender.check(url, field)
        secrets = await asyncio.to_thread(self._webhooks.secrets, current_tenant())
        if not secrets:
            raise Conflict("webhooks need a secret; create one with RotateWebhookSecret", field=field)
        return secrets
