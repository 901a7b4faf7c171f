"""Calls of the gRPC API on behalf of HTTP requests."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from starlette.requests import Request

from etbgm_gateway.api.servicer import ACCEPTED
from etbgm_gateway.http.routes import SERVICE
from etbgm_gateway.identity.interceptor import CLIENT_ADDRESS
from etbgm_kit.errors import EtbgmError

CALL_S = 60.0
"""Deadline of short calls."""

_FORWARDED = ("authorization", "traceparent", "tracestate")
"""Headers that become metadata of the call: identity and trace context."""


class Interrupted(EtbgmError):
    """A call ended while its messages were being sent."""

    code = "UNAVAILABLE"
    reason = "UPLOAD_INTERRUPTED"

    def __init__(self) -> None:
        super().__init__("the upload was interrupted; ask for its offset and continue")


class Api:
    """The gateway's gRPC API. Calls raise AioRpcError."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    async def unary(self, rpc: MethodDescriptor, message: Message, request: Request) -> Message:
        """Calls a method that answers once."""
        call = self._channel.unary_unary(_path(rpc), _serialized, GetMessageClass(rpc.output_type).FromString)
        answer: Message = await call(message, metadata=_metadata(request), timeout=CALL_S)
        return answer

    def stream(self, rpc: MethodDescriptor, message: Message, request: Request) -> Any:
        """Calls a method that answers with a stream; returns the call, an async iterator."""
        call = self._channel.unary_stream(
            _path(rpc), _serialized, GetMessageClass(rpc.output_type).FromString
        )
        return call(message, metadata=_metadata(request))

    async def send(
        self, rpc: MethodDescriptor, messages: AsyncIterator[Message], request: Request
    ) -> Message:
        """Calls a method that takes a stream; sends the first message, and the others if it is accepted.

        Raises Interrupted if the method ends while the others are sent.
        """
        parse = GetMessageClass(rpc.output_type).FromString
        call: Any = self._channel.stream_unary(_path(rpc), _serialized, parse)(metadata=_metadata(request))
        await call.write(await anext(messages))
        try:
            if dict(ACCEPTED).items() <= dict(await call.initial_metadata()).items():
                async for message in messages:
                    await call.write(message)
                await call.done_writing()
        except asyncio.InvalidStateError:  # the call has ended, and its error is known
            pass
        except grpc.aio.AioRpcError:  # its error is lost: gRPC has set one of its own
            raise Interrupted from None
        answer: Message = await call
        return answer


def rpc_of(name: str) -> MethodDescriptor:
    """Returns the API's method of this name."""
    return SERVICE.methods_by_name[name]


def _path(rpc: MethodDescriptor) -> str:
    return f"/{rpc.containing_service.full_name}/{rpc.name}"


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


def _metadata(request: Request) -> list[tuple[str, str]]:
    forwarded = [(name, request.headers[name]) for name in _FORWARDED if name in request.headers]
    return [*forwarded, (CLIENT_ADDRESS, request.client.host if request.client else "")]
