"""Durable delivery of events to webhooks: one DBOS workflow for each attempt."""

import json
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfiguredInstance, EnqueueOptions

from etbgm_gateway.outgoing.webhook import Answer, WebhookSender
from etbgm_gateway.queue.application import APPLICATION_VERSION, new_client
from etbgm_gateway.store.database import when_reachable
from etbgm_gateway.store.webhooks import WebhookStore

log = logging.getLogger(__name__)

Result = TypeVar("Result")

QUEUE = "webhooks"
POLL_S = 1.0
AT_ONCE = 32
"""Events that one gateway sends at the same time."""

RETRY_AFTER_S = (5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Pauses between attempts, as Standard Webhooks suggests; each up to a tenth longer or shorter."""

OF_JOB = "job"
"""Stands for the id of a webhook that only one job has."""

_CLASS, _WORKFLOW, _INSTANCE = "Deliveries", "deliver", "deliveries"


@DBOS.dbos_class(_CLASS)
class Deliveries(DBOSConfiguredInstance):
    """Sends events; one instance per process, created before DBOS is launched."""

    def __init__(self, database: sa.Engine, webhooks: WebhookStore, sender: WebhookSender) -> None:
        super().__init__(config_name=_INSTANCE)
        self._webhooks, self._sender = webhooks, sender
        self._client = new_client(database)

    def open(self) -> None:
        """Starts to take events from the queue. Blocks."""
        DBOS.register_queue(QUEUE, worker_concurrency=AT_ONCE, polling_interval_sec=POLL_S)

    def announce(
        self, connection: sa.Connection, tenant: str, job_id: str, state: str, job_url: str | None
    ) -> None:
        """Queues the event that the job has ended, when the transaction of `connection` is committed.

        It goes to the tenant's webhooks and to `job_url`.
        """
        receivers = self._webhooks.listening(connection, tenant)
        if job_url and job_url not in receivers.values():
            receivers[OF_JOB] = job_url
        body = event_of(f"job.{state.lower()}", {"jobId": job_id, "state": state}) if receivers else ""
        for webhook_id, url in receivers.items():
            event_id = f"{job_id}.{webhook_id}"
            self._client.enqueue_in_transaction(
                connection, _attempt(event_id, 1), tenant, webhook_id, url, event_id, body, 1
            )

    @DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)
    async def deliver(
        self, tenant: str, webhook_id: str, url: str, event_id: str, body: str, attempt: int
    ) -> None:
        """Sends the event; if it is not received, queues the next attempt.

        After a crash the attempt is repeated: a receiver may get an event twice, with the same id.
        """
        if webhook_id != OF_JOB and not await self._database(self._webhooks.is_listening, webhook_id):
            return
        secrets = await self._database(self._webhooks.secrets, tenant)
        answer = await self._sender.send(url, event_id, body, secrets)
        _tell(answer, event_id, attempt)
        if answer.is_gone and webhook_id != OF_JOB:
            await self._database(self._webhooks.mark_gone, webhook_id)
        if answer.is_received or answer.is_gone or attempt > len(RETRY_AFTER_S):
            return
        options = _attempt(event_id, attempt + 1)
        options["delay_seconds"] = RETRY_AFTER_S[attempt - 1] * random.uniform(0.9, 1.1)
        await self._database(
            self._client.enqueue, options, tenant, webhook_id, url, event_id, body, attempt + 1
        )

    async def _database(self, call: Callable[..., Result], *args: Any) -> Result:
        return await when_reachable(partial(call, *args), "")

    def forget(self, job_id: str) -> None:
        """Deletes the job's events, sent or not. Blocks."""
        ids = [
            workflow.workflow_id
            for workflow in self._client.list_workflows(
                workflow_id_prefix=f"{job_id}.", load_input=False, load_output=False
            )
        ]
        if ids:
            self._client.cancel_workflows(ids)
            self._client.delete_workflows(ids)

    def close(self) -> None:
        """Releases the client. Blocks."""
        self._client.destroy()


def event_of(kind: str, data: dict[str, str]) -> str:
    """Returns an event's body (Standard Webhooks, "payload structure"), dated now."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return json.dumps({"type": kind, "timestamp": now, "data": data})


def _attempt(event_id: str, number: int) -> EnqueueOptions:
    return {
        "workflow_name": _WORKFLOW,
        "class_name": _CLASS,
        "instance_name": _INSTANCE,
        "queue_name": QUEUE,
        "app_version": APPLICATION_VERSION,
        "workflow_id": f"{event_id}.{number}",
    }


def _tell(answer: Answer, event_id: str, attempt: int) -> None:
    facts = {"event": event_id, "attempt": attempt, "http_status": answer.http_status, "why": answer.error}
    if answer.is_received:
        log.info("a webhook has received an event", extra=facts)
    else:
        log.warning("a webhook has not received an event", extra=facts)
