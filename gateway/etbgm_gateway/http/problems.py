"""Errors of the API as HTTP responses: application/problem+json (RFC 9457)."""

import math
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from starlette.responses import JSONResponse

from etbgm_kit.errors import StorageFull

MEDIA_TYPE = "application/problem+json"

HTTP_STATUS = {
    code_pb2.CANCELLED: 499,
    code_pb2.INVALID_ARGUMENT: 400,
    code_pb2.DEADLINE_EXCEEDED: 504,
    code_pb2.NOT_FOUND: 404,
    code_pb2.ALREADY_EXISTS: 409,
    code_pb2.PERMISSION_DENIED: 403,
    code_pb2.UNAUTHENTICATED: 401,
    code_pb2.RESOURCE_EXHAUSTED: 429,
    code_pb2.FAILED_PRECONDITION: 400,
    code_pb2.ABORTED: 409,
    code_pb2.OUT_OF_RANGE: 400,
    code_pb2.UNIMPLEMENTED: 404,
    code_pb2.UNAVAILABLE: 503,
}
"""HTTP status of each gRPC code (google/rpc/code.proto); 500 for all others.

A service that this gateway does not offer, such as links on one without accounts, is not found over HTTP.
"""

_INSUFFICIENT_STORAGE = 507


def problem(status: Status, http_status: int | None = None) -> JSONResponse:
    """Returns the response for an error of the API."""
    info, retry, bad = (
        _detail(status, ErrorInfo()),
        _detail(status, RetryInfo()),
        _detail(status, BadRequest()),
    )
    code = HTTP_STATUS.get(status.code, 500)
    if info.reason == StorageFull.reason:
        code = _INSUFFICIENT_STORAGE
    body: dict[str, Any] = {
        "title": code_pb2.Code.Name(status.code),
        "status": http_status or code,
        "detail": status.message,
        "reason": info.reason or code_pb2.Code.Name(status.code),
    }
    if info.metadata:
        body["metadata"] = dict(info.metadata)
    if bad.field_violations:
        body["errors"] = [{"field": one.field, "detail": one.description} for one in bad.field_violations]
    headers = {}
    if retry.HasField("retry_delay"):
        headers["Retry-After"] = str(math.ceil(retry.retry_delay.ToNanoseconds() * 1e-9))
    if code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _response(body, headers)


def simple_problem(http_status: int, title: str, detail: str, headers: Mapping[str, str]) -> JSONResponse:
    """Returns the response for an error of HTTP itself, such as an unknown path."""
    return _response({"title": title, "status": http_status, "detail": detail, "reason": title}, headers)


def _response(body: dict[str, Any], headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(body, body["status"], headers, MEDIA_TYPE)


def _detail(status: Status, wanted: Message) -> Any:
    for detail in status.details:
        if detail.Unpack(wanted):
            break
    return wanted
