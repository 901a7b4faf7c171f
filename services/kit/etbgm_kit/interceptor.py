"""One place where errors become statuses, for every RPC of every server."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn, TypeAlias

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from etbgm_kit.errors import EtbgmError
from etbgm_kit.status import internal_status, status_of

log = logging.getLogger(__name__)

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Turns EtbgmError into its status, anything else into INTERNAL with an id."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wraps our own methods; health and reflection answer for themselves."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        kind, wrap = _KINDS[handler.request_streaming, handler.response_streaming]
        inner = getattr(handler, kind)
        make_handler: Callable[..., Handler] = getattr(grpc, f"{kind}_rpc_method_handler")
        return make_handler(wrap(inner, method), handler.request_deserializer, handler.response_serializer)


def _guard_unary(inner: Callable[..., Awaitable[Message]], method: str) -> Callable[..., Awaitable[Message]]:
    async def call(request: object, context: Context) -> Message:
        try:
            return await inner(request, context)
        except Exception as error:
            await _abort(error, method, context)

    return call


def _guard_stream(
    inner: Callable[..., AsyncIterator[Message]], method: str
) -> Callable[..., AsyncIterator[Message]]:
    async def call(request: object, context: Context) -> AsyncIterator[Message]:
        try:
            async for response in inner(request, context):
                yield response
        except Exception as error:
            await _abort(error, method, context)

    return call


_KINDS: dict[tuple[bool, bool], tuple[str, Callable[[Any, str], Any]]] = {
    (False, False): ("unary_unary", _guard_unary),
    (False, True): ("unary_stream", _guard_stream),
    (True, False): ("stream_unary", _guard_unary),
    (True, True): ("stream_stream", _guard_stream),
}


async def _abort(error: Exception, method: str, context: Context) -> NoReturn:
    if isinstance(error, asyncio.CancelledError | grpc.aio.AbortError):
        raise error
    await context.abort_with_status(rpc_status.to_status(_status(error, method)))
    raise AssertionError("abort raises")


def _status(error: Exception, method: str) -> Status:
    if isinstance(error, EtbgmError):
        log.info("call refused", extra={"method": method, "code": error.code, "reason": error.reason})
        return status_of(error)
    error_id = uuid.uuid4().hex[:12]
    log.error("internal error", exc_info=error, extra={"method": method, "error_id": error_id})
    return internal_status(error_id)
