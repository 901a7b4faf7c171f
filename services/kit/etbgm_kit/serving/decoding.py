"""Requests that cannot be decoded: gRPC itself would answer UNKNOWN, which says nothing about the cause."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.message import DecodeError

from etbgm_kit.errors import InvalidField

Deserializer = Callable[[bytes], Any]

_UNDECODABLE = object()
"""Stands for a request that is not a message of its type."""


def guarded(deserializer: Deserializer | None) -> Deserializer | None:
    """A deserializer that does not raise DecodeError, so that `decoded` can raise InvalidField instead."""
    if deserializer is None:
        return None

    def deserialize(data: bytes) -> Any:
        try:
            return deserializer(data)
        except DecodeError:
            return _UNDECODABLE

    return deserialize


def decoded(request: Any) -> Any:
    """The request, or an iterator that checks each message of a stream. Raises InvalidField."""
    if request is _UNDECODABLE:
        raise InvalidField("request", "is not a message of this method's request type")
    return _each(request) if hasattr(request, "__aiter__") else request


async def _each(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield decoded(request)
