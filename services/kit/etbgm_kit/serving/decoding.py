"""Requests that cannot be decoded: gRPC itself would answer UNKNOWN, which says nothing about the cause."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from etbgm_kit.errors import EtbgmError, InvalidField

Deserializer = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class _Refused:
    """Stands for a request that cannot be decoded."""

    error: EtbgmError


def guarded(deserializer: Deserializer | None) -> Deserializer | None:
    """A deserializer that raises neither DecodeError nor EtbgmError, which `decoded` raises instead."""
    if deserializer is None:
        return None

    def deserialize(data: bytes) -> Any:
        try:
            return deserializer(data)
        except EtbgmError as error:
            # Without its traceback, which would keep the request in memory until cycles are collected.
            return _Refused(error.with_traceback(None))
        except DecodeError:
            return _Refused(InvalidField("request", "is not a message of this method's request type"))

    return deserialize


def decoded(request: Any) -> Any:
    """The request, or an iterator that checks each message of a stream. Raises EtbgmError."""
    if isinstance(request, _Refused):
        raise request.error
    return _each(request) if hasattr(request, "__aiter__") else request


async def _each(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield decoded(request)
