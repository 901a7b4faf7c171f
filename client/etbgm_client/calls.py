"""Short calls: each with a deadline and the caller's key."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from etbgm_client.errors import ApiError

Answer = TypeVar("Answer")
Method = Callable[..., Awaitable[Answer]]

CALL_S = 60.0
"""Deadline of short calls. CreateJob, for example, examines the video before it responds."""


class Calls:
    """Calls methods of stubs with the same metadata."""

    def __init__(self, metadata: tuple[tuple[str, str], ...]) -> None:
        self._metadata = metadata

    async def __call__(self, method: Method[Answer], request: Message) -> Answer:
        """Returns the answer. Raises ApiError."""
        try:
            return await method(request, timeout=CALL_S, metadata=self._metadata)
        except grpc.aio.AioRpcError as error:
            raise ApiError.of(error) from None
