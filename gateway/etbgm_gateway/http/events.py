"""A job's updates as server-sent events.

An event's id is a hash of the job in that state. A client that reconnects with Last-Event-ID, to any
gateway, receives the job at once only if it has changed since.
"""

import hashlib
import json
from collections.abc import AsyncIterator

from google.protobuf.message import Message
from sse_starlette import EventSourceResponse, ServerSentEvent

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
        job = json_of(update)["job"]
        event_id = hashlib.sha256(json.dumps(job, sort_keys=True).encode()).hexdigest()[:16]
        if event_id != last_event_id:
            yield ServerSentEvent(json.dumps(job), event="job", id=event_id)
        last_event_id = event_id
    yield ServerSentEvent("{}", event="end")
