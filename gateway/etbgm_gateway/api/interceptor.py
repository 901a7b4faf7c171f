"""Refuses requests with too many fields before they are decoded."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor

from etbgm.gateway.v1 import gateway_pb2, keys_pb2, sessions_pb2, shares_pb2, webhooks_pb2
from etbgm_gateway.api.fields import FieldCount
from etbgm_kit.serving.interceptor import Handler

_KINDS: dict[str, Descriptor] = {
    f"/{service.full_name}/{method.name}": method.input_type
    for file in (gateway_pb2, keys_pb2, sessions_pb2, shares_pb2, webhooks_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


class FieldsInterceptor(grpc.aio.ServerInterceptor):
    """Counts fields; the error is translated with those of decoding."""

    def __init__(self, most_fields: int) -> None:
        self._most_fields = most_fields

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Returns the handler with another deserializer."""
        handler = await continuation(handler_call_details)
        kind = _KINDS.get(handler_call_details.method)
        if handler is None or kind is None:
            return handler
        decode = handler.request_deserializer
        assert decode is not None

        def deserialize(data: bytes) -> Any:
            FieldCount(data, self._most_fields).check(kind)
            return decode(data)

        counting: Handler = handler._replace(request_deserializer=deserialize)  # type: ignore[attr-defined]
        return counting
