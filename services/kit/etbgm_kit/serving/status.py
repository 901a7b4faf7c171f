"""Converts EtbgmError to google.rpc.Status and back (AIP-193)."""

import uuid

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, QuotaFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from etbgm_kit.errors import Busy, EtbgmError, InvalidField, QuotaExceeded, StorageFull

DOMAIN = "etbgm"
"""`ErrorInfo.domain` of all our errors."""

RETRYABLE = "retryable"
"""Key in the metadata of ErrorInfo: "true" if the same request may succeed later, otherwise "false"."""


class RemoteError(EtbgmError):
    """An error that another service returned; `status` is the status received."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.message)
        self.status = status
        self.status_code = code_pb2.Code.Name(status.code)

    @property
    def is_transient(self) -> bool:
        """True if a retry may succeed soon: UNAVAILABLE, or RESOURCE_EXHAUSTED except for a full disk.

        A disk stays full until someone frees space, so a retry would only hide the error.
        """
        return (
            self.status_code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
            and reason_of(self.status) != StorageFull.reason
        )

    @property
    def retry_after_s(self) -> float:
        """The retry delay that the server asked for, in seconds; 0 if it gave none."""
        for detail in self.status.details:
            info = RetryInfo()
            if detail.Unpack(info):
                return float(info.retry_delay.ToNanoseconds() * 1e-9)
        return 0.0


def status_of(error: EtbgmError) -> Status:
    """The status for `error`, with ErrorInfo and any other details that apply."""
    if isinstance(error, RemoteError):
        return error.status
    status = Status(code=code_pb2.Code.Value(error.code), message=error.message)
    metadata = {**error.facts, RETRYABLE: str(error.is_retryable).lower()}
    status.details.add().Pack(ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata))
    if isinstance(error, InvalidField):
        violation = BadRequest.FieldViolation(field=error.field, description=error.why)
        status.details.add().Pack(BadRequest(field_violations=[violation]))
    if isinstance(error, QuotaExceeded):
        exceeded = QuotaFailure.Violation(subject=error.subject, description=error.limit)
        status.details.add().Pack(QuotaFailure(violations=[exceeded]))
    if isinstance(error, Busy):
        delay = Duration()
        delay.FromMilliseconds(round(error.retry_after_s * 1000))
        status.details.add().Pack(RetryInfo(retry_delay=delay))
    return status


def new_error_id() -> str:
    """A new id that a caller can quote and that identifies the error in the log."""
    return uuid.uuid4().hex[:12]


def reason_of(status: Status) -> str:
    """The reason in the status's ErrorInfo; "" if it has none."""
    info = ErrorInfo()
    return next((info.reason for detail in status.details if detail.Unpack(info)), "")


def internal_status(error_id: str) -> Status:
    """The status of an unexpected error: it tells the caller only an id that is also in the log."""
    status = Status(
        code=code_pb2.INTERNAL, message=f"internal error {error_id}; the server's log has its cause"
    )
    info = ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"error_id": error_id, RETRYABLE: "false"})
    status.details.add().Pack(info)
    return status


def error_from_rpc(error: grpc.aio.AioRpcError) -> RemoteError:
    """Converts a failed call's `error` to a RemoteError."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # has the methods of a Call
    if status is None:
        status = Status(code=error.code().value[0], message=error.details() or "")
    return RemoteError(status)
