"""A job's updates as server-sent events.

An event's id is a hash of the job in that state. A client that reconnects with Last-Event-ID, to any
gateway, receives the job at once only if it has changed since.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from functools import lru_cache

from google.protobuf.message import Message
from sse_starlette import EventSourceResponse, ServerSentEvent

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.http.transcoding import json_of

Updates = AsyncIterator[Message]

HEARTBEAT_S = 15
"""Interval of comments that keep the connection open and reveal a broken one."""


def events(updates: Updates, last_event_id: str | None) -> EventSourceResponse:
    """Returns the response that sends each update as an event `job`, then an event `end`."""
    return EventSourceResponse(
        _events(updates, last_event_id), ping=HEARTBEAT_S, headers={"Cache-Control": "no-store"}
    )


async def _events(updates: Updates, last_event_id: str | None) -> AsyncIterator[ServerSentEvent]:
    async for update in updates:
        event_id, text = _job_of(update.SerializeToString(deterministic=True))
        if event_id != last_event_id:
            yield ServerSentEvent(text, event="job", id=event_id)
        last_event_id = event_id
    yield ServerSentEvent("{}", event="end")


@lru_cache(maxsize=256)
def _job_of(update: bytes) -> tuple[str, str]:
    """The event's id and the job as JSON; remembered, because many clients may watch the same job."""
    job = json_of(gateway_pb2.WatchJobResponse.FromString(update))["job"]
    text = json.dumps(job, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16], text
