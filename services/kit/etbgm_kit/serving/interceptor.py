"""Converts errors to statuses, in one place for every RPC of every server."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from etbgm_kit.errors import EtbgmError
from etbgm_kit.serving.decoding import decoded, guarded
from etbgm_kit.serving.status import internal_status, new_error_id, reason_of, status_of

log = logging.getLogger(__name__)

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Unary: TypeAlias = Callable[..., Awaitable[Message]]
Stream: TypeAlias = Callable[..., AsyncIterator[Message]]

_KINDS = {False: "unary", True: "stream"}


class Wrapping(ABC, grpc.aio.ServerInterceptor):
    """Base of interceptors that wrap each of our methods, but not those of health and reflection."""

    @abstractmethod
    def unary(self, inner: Unary, method: str) -> Unary:
        """Wraps `inner`, which returns one response."""

    @abstractmethod
    def stream(self, inner: Stream, method: str) -> Stream:
        """Wraps `inner`, which yields responses."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Returns the wrapped handler of a call."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        asked, answered = _KINDS[handler.request_streaming], _KINDS[handler.response_streaming]
        inner = getattr(handler, f"{asked}_{answered}")
        make_handler: Callable[..., Handler] = getattr(grpc, f"{asked}_{answered}_rpc_method_handler")
        wrap = self.stream if handler.response_streaming else self.unary
        return make_handler(wrap(inner, method), handler.request_deserializer, handler.response_serializer)


class ErrorInterceptor(Wrapping):
    """Converts an EtbgmError to its status, and any other exception to INTERNAL with an error id.

    A request that cannot be decoded is answered with INVALID_ARGUMENT.
    """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """See Wrapping."""
        handler = await super().intercept_service(continuation, handler_call_details)
        if handler is not None and not handler_call_details.method.startswith("/grpc."):
            deserializer = guarded(handler.request_deserializer)
            handler = handler._replace(request_deserializer=deserializer)  # type: ignore[attr-defined]
        return handler

    def unary(self, inner: Unary, method: str) -> Unary:
        """See Wrapping."""

        async def call(request: object, context: Context) -> Message:
            try:
                return await inner(decoded(request), context)
            except Exception as error:
                await _abort(error, method, context)

        return call

    def stream(self, inner: Stream, method: str) -> Stream:
        """See Wrapping."""

        async def call(request: object, context: Context) -> AsyncIterator[Message]:
            try:
                async for response in inner(decoded(request), context):
                    yield response
            except Exception as error:
                await _abort(error, method, context)

        return call


async def _abort(error: Exception, method: str, context: Context) -> NoReturn:
    if isinstance(error, asyncio.CancelledError | grpc.aio.AbortError):
        raise error
    await context.abort_with_status(rpc_status.to_status(_status(error, method)))
    raise AssertionError("abort raises")


def _status(error: Exception, method: str) -> Status:
    if isinstance(error, EtbgmError):
        status = status_of(error)
        facts = {"code": code_pb2.Code.Name(status.code), "reason": reason_of(status)}
        log.info("call refused", extra={"method": method, **facts})
        return status
    error_id = new_error_id()
    log.error("internal error", exc_info=error, extra={"method": method, "error_id": error_id})
    return internal_status(error_id)
