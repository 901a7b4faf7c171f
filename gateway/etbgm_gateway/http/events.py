"""A job's updates as server-sent events.

An event's id is the job's sequence number. A client that reconnects with Last-Event-ID, to any gateway,
receives the job at once only if it has changed since.
"""

import json
import re
from collections.abc import AsyncIterator
from functools import lru_cache

from sse_starlette import EventSourceResponse, ServerSentEvent

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.http.transcoding import json_of

Updates = AsyncIterator[gateway_pb2.WatchJobResponse]

PING_S = 15
"""Interval of comments, which also reveal a broken connection while the API does not answer."""

_SEQUENCE = re.compile(r"[0-9]{1,18}")


def sequence_of(last_event_id: str | None) -> int:
    """Returns the sequence number in a Last-Event-ID header; 0 if it has none."""
    return int(last_event_id) if last_event_id and _SEQUENCE.fullmatch(last_event_id) else 0


def events(updates: Updates) -> EventSourceResponse:
    """Returns the response that sends each update as an event `job` or `heartbeat`, then an event `end`."""
    return EventSourceResponse(_events(updates), ping=PING_S, headers={"Cache-Control": "no-store"})


async def _events(updates: Updates) -> AsyncIterator[ServerSentEvent]:
    async for update in updates:
        kind = "heartbeat" if update.heartbeat else "job"
        text = _job_of(update.SerializeToString(deterministic=True))
        yield ServerSentEvent(text, event=kind, id=str(update.job.sequence))
    yield ServerSentEvent("{}", event="end")


@lru_cache(maxsize=256)
def _job_of(update: bytes) -> str:
    """The job as JSON; remembered, because many clients may watch the same job."""
    return json.dumps(json_of(gateway_pb2.WatchJobResponse.FromString(update))["job"])
