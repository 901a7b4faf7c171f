"""Artifacts as ranged downloads (RFC 9110, 14)."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.http.calls import Api, rpc_of
from etbgm_gateway.http.problems import simple_problem
from etbgm_kit.artifacts.addresses import address_named, media_type_of

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_MOST_DIGITS = 100
_DOWNLOAD = "DownloadArtifact"


class Downloads:
    """Serves artifacts."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def get(self, request: Request) -> Response:
        """Returns the artifact `name`, or the part that a Range header asks for."""
        name = request.path_params["name"]
        uri, etag = address_named(name), f'"{name}"'
        filename = request.query_params.get("filename")
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": etag,
            # The name is the content's hash, so the content never changes.
            "Cache-Control": "private, max-age=31536000, immutable",
            # What users have uploaded must not run as a page of this origin.
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Content-Disposition": attachment(filename) if filename else "inline",
        }
        size = await self._size(uri, request)
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        span = _span(request, etag, size)
        if span is None:
            detail = f"the artifact has {size} bytes"
            return simple_problem(416, "OUT_OF_RANGE", detail, {"Content-Range": f"bytes */{size}"})
        first, end = span
        is_part = (first, end) != (0, size)
        if is_part:
            headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
        headers["Content-Length"] = str(end - first)
        body = self._bytes(uri, first, end, request) if request.method == "GET" else ()
        return StreamingResponse(body, 206 if is_part else 200, headers, media_type_of(name))

    async def _size(self, uri: str, request: Request) -> int:
        asked = gateway_pb2.DownloadArtifactRequest(uri=uri, length_bytes=0)
        response = await anext(aiter(self._api.stream(rpc_of(_DOWNLOAD), asked, request)))
        return int(response.size_bytes)

    async def _bytes(self, uri: str, first: int, end: int, request: Request) -> AsyncIterator[bytes]:
        asked = gateway_pb2.DownloadArtifactRequest(uri=uri, offset_bytes=first, length_bytes=end - first)
        call: Any = self._api.stream(rpc_of(_DOWNLOAD), asked, request)
        try:
            async for response in call:
                yield response.data
        finally:
            call.cancel()


def _span(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """Returns first byte and end of the requested part; all for several parts; None if it is outside."""
    found = _RANGE.fullmatch(request.headers.get("range", ""))
    if not found or found[0] == "bytes=-" or request.headers.get("if-range", etag) != etag:
        return 0, size
    if not found[1]:
        first, last = max(0, size - _offset(found[2])), size - 1
    else:
        first, last = _offset(found[1]), _offset(found[2]) if found[2] else size - 1
        if last < first:
            return (0, size) if found[2] else None
    return (first, min(last, size - 1) + 1) if first < size else None


def _offset(digits: str) -> int:
    """The number; one that no artifact reaches if it has more digits than Python reads."""
    return int(digits) if len(digits) <= _MOST_DIGITS else 10**_MOST_DIGITS


def attachment(filename: str) -> str:
    """Returns Content-Disposition for a download of this name, which is quoted as in RFC 6266."""
    return f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
