"""The error that a failed gateway call raises, with the details of AIP-193."""

from collections.abc import Iterator
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

Detail = TypeVar("Detail", bound=Message)


class ApiError(Exception):
    """A call was refused, failed, or could not reach the gateway; `status` is the google.rpc.Status."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message or code_pb2.Code.Name(status.code))
        self.status = status

    @classmethod
    def of(cls, error: grpc.aio.AioRpcError) -> "ApiError":
        """Converts the error of a failed call."""
        status = rpc_status.from_call(error)  # type: ignore[arg-type]  # has the methods of a Call
        return cls(status or Status(code=error.code().value[0], message=error.details() or ""))

    @classmethod
    def unreachable(cls, message: str) -> "ApiError":
        """An UNAVAILABLE error that the client itself creates."""
        return cls(Status(code=code_pb2.UNAVAILABLE, message=message))

    @property
    def code(self) -> str:
        """The name of the gRPC status code, for example "INVALID_ARGUMENT"."""
        return str(code_pb2.Code.Name(self.status.code))

    @property
    def reason(self) -> str:
        """The error's reason in UPPER_SNAKE_CASE; "" if the server gave none."""
        return next((info.reason for info in self._details(ErrorInfo)), "")

    @property
    def metadata(self) -> dict[str, str]:
        """The values that explain the error."""
        return {key: value for info in self._details(ErrorInfo) for key, value in info.metadata.items()}

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later without a change."""
        stated = self.metadata.get("retryable")
        return self.code == "UNAVAILABLE" if stated is None else stated == "true"

    @property
    def fields(self) -> dict[str, str]:
        """For invalid requests: the path of each invalid field, and the reason."""
        return {v.field: v.description for bad in self._details(BadRequest) for v in bad.field_violations}

    @property
    def retry_after_s(self) -> float | None:
        """Seconds to wait before a retry; None if the server gave none."""
        return next((info.retry_delay.ToNanoseconds() * 1e-9 for info in self._details(RetryInfo)), None)

    def _details(self, kind: type[Detail]) -> Iterator[Detail]:
        for packed in self.status.details:
            detail = kind()
            if packed.Unpack(detail):
                yield detail
