"""Sends one event to one webhook, as Standard Webhooks 1.0 describes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from standardwebhooks import Webhook

from etbgm_gateway.outgoing.addresses import AddressRules

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

ANSWER_S = 20.0
"""Time that a receiver has to answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a receiver answered: its HTTP status, or 0 and why there is none."""

    http_status: int
    error: str = ""

    @property
    def is_received(self) -> bool:
        """Whether the receiver has taken the event."""
        return 200 <= self.http_status < 300

    @property
    def is_gone(self) -> bool:
        """Whether the receiver wants no more events (410)."""
        return self.http_status == 410


class WebhookSender:
    """Sends events."""

    def __init__(self, rules: AddressRules, resolver: "AbstractResolver | None" = None) -> None:
        self._rules, self._resolver = rules, resolver

    def check(self, url: str, field: str) -> None:
        """Raises InvalidField if events cannot be sent to such a URL."""
        self._rules.check(url, field)

    async def send(self, url: str, event_id: str, body: str, secrets: Sequence[str]) -> Answer:
        """Posts the event, JSON in `body`, with a signature by each of the secrets ("whsec_…").

        Redirects are answers like others, because the host that they name did not register.
        """
        # Imported with the first event: aiohttp takes a sixth of a gateway's start.
        from etbgm_gateway.outgoing.sessions import FAILURES, open_session, reason

        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "user-agent": "ET-BGM",
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(Webhook(secret).sign(event_id, now, body) for secret in secrets),
        }
        try:
            async with (
                open_session(self._rules, ANSWER_S, self._resolver) as session,
                session.post(url, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return Answer(response.status)
        except FAILURES as error:
            return Answer(0, reason(error))
