"""Resumable uploads: tus 1.0 (https://tus.io/protocols/resumable-upload), and plain PUT."""

import base64
import binascii
import uuid
from collections.abc import AsyncIterator, Mapping

import grpc
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.http.calls import Api, rpc_of
from etbgm_gateway.http.transcoding import json_of
from etbgm_kit.artifacts.store import BLOCK_BYTES
from etbgm_kit.errors import InvalidField

TUS_VERSION = "1.0.0"
_TUS = {"Tus-Resumable": TUS_VERSION}
_OPTIONS = {**_TUS, "Tus-Version": TUS_VERSION, "Tus-Extension": "creation,creation-with-upload"}
OFFSET_TYPE = "application/offset+octet-stream"

_WRONG_OFFSET, _LOCKED, _WRONG_VERSION = 409, 423, 412


class Uploads:
    """Translates uploads to UploadVideo and GetUpload."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def options(self, _: Request) -> Response:
        """Says what of tus is supported."""
        return Response(status_code=204, headers=_OPTIONS)

    async def create(self, request: Request) -> Response:
        """Opens an upload of Upload-Length bytes (tus: creation); its bytes may follow in the body."""
        _check_version(request)
        metadata = _metadata(request.headers.get("upload-metadata", ""))
        opening = gateway_pb2.UploadOpening(
            upload_id=uuid.uuid4().hex,
            size_bytes=_number(request.headers, "upload-length"),
            media_type=metadata.get("filetype", ""),
            sha256=metadata.get("sha256", ""),
        )
        has_bytes = request.headers.get("content-type") == OFFSET_TYPE
        received = await self._send(opening, request, has_bytes)
        place = f"/v1/uploads/{opening.upload_id}"
        return Response(
            status_code=201,
            headers={**_TUS, "Location": place, "Upload-Offset": str(received.received_bytes)},
        )

    async def head(self, request: Request) -> Response:
        """Says how much was received (tus: core)."""
        _check_version(request)
        state = await self._state(request)
        return Response(
            headers={
                **_TUS,
                "Upload-Offset": str(state.received_bytes),
                "Upload-Length": str(state.size_bytes),
                "Cache-Control": "no-store",
            }
        )

    async def patch(self, request: Request) -> Response:
        """Appends the body at Upload-Offset (tus: core)."""
        _check_version(request)
        if request.headers.get("content-type") != OFFSET_TYPE:
            raise InvalidField("Content-Type", f"must be {OFFSET_TYPE}")
        state = await self._state(request)
        opening = gateway_pb2.UploadOpening(
            upload_id=request.path_params["upload_id"],
            offset_bytes=_number(request.headers, "upload-offset"),
            size_bytes=state.size_bytes,
            media_type=state.media_type,
            sha256=state.sha256,
        )
        received = await self._send(opening, request)
        return Response(status_code=204, headers={**_TUS, "Upload-Offset": str(received.received_bytes)})

    async def put(self, request: Request) -> Response:
        """Uploads the body as a whole, or what is missing of it from Upload-Offset on."""
        offset = _number(request.headers, "upload-offset", 0)
        length = _number(request.headers, "content-length")
        opening = gateway_pb2.UploadOpening(
            upload_id=request.path_params["upload_id"],
            offset_bytes=offset,
            size_bytes=_number(request.headers, "upload-length", offset + length),
            media_type=request.headers.get("content-type", ""),
        )
        return JSONResponse(json_of(await self._send(opening, request)))

    async def _state(self, request: Request) -> gateway_pb2.GetUploadResponse:
        asked = gateway_pb2.GetUploadRequest(upload_id=request.path_params["upload_id"])
        state = await self._api.unary(rpc_of("GetUpload"), asked, request)
        assert isinstance(state, gateway_pb2.GetUploadResponse)
        return state

    async def _send(
        self, opening: gateway_pb2.UploadOpening, request: Request, has_bytes: bool = True
    ) -> gateway_pb2.UploadVideoResponse:
        messages = _messages(opening, request if has_bytes else None)
        received = await self._api.send(rpc_of("UploadVideo"), messages, request)
        assert isinstance(received, gateway_pb2.UploadVideoResponse)
        return received


def http_status_of(error: grpc.aio.AioRpcError) -> int | None:
    """Returns the status that tus prescribes for an error; None where it prescribes none."""
    if error.code() == grpc.StatusCode.FAILED_PRECONDITION:
        return _LOCKED
    return _WRONG_OFFSET if "opening.offset_bytes" in (error.details() or "") else None


def _check_version(request: Request) -> None:
    """Raises HTTPException for another version of tus; clients that send none are taken for plain HTTP."""
    version = request.headers.get("tus-resumable", TUS_VERSION)
    if version != TUS_VERSION:
        versions = {"Tus-Version": TUS_VERSION}
        raise HTTPException(_WRONG_VERSION, f"the version of tus is {TUS_VERSION}", versions)


async def _messages(
    opening: gateway_pb2.UploadOpening, request: Request | None
) -> AsyncIterator[gateway_pb2.UploadVideoRequest]:
    """Yields the opening, then the body; what came before a disconnection stays."""
    yield gateway_pb2.UploadVideoRequest(opening=opening)
    if request is None:
        return
    try:
        async for chunk in request.stream():
            for first in range(0, len(chunk), BLOCK_BYTES):
                yield gateway_pb2.UploadVideoRequest(data=chunk[first : first + BLOCK_BYTES])
    except ClientDisconnect:
        return


def _metadata(header: str) -> dict[str, str]:
    """Returns tus's Upload-Metadata: names and values in base64. Raises InvalidField."""
    found = {}
    for pair in header.split(",") if header else ():
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise InvalidField("Upload-Metadata", f"{name} is not base64") from None
    return found


def _number(headers: Mapping[str, str], name: str, default: int | None = None) -> int:
    text = headers.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidField(name.title(), "must be a whole number")
    return int(text)
