"""The HTTP application: every route of the contract, uploads, downloads, the page, OpenAPI and health."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route as HttpRoute

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.http import events, page, problems, session, uploads
from etbgm_gateway.http.bundles import Bundles
from etbgm_gateway.http.calls import Api
from etbgm_gateway.http.downloads import Downloads
from etbgm_gateway.http.openapi import openapi
from etbgm_gateway.http.routes import Route, routes
from etbgm_gateway.http.session import SessionMiddleware
from etbgm_gateway.http.transcoding import json_of, request_of
from etbgm_gateway.http.uploads import Uploads
from etbgm_kit.errors import EtbgmError
from etbgm_kit.serving.status import internal_status, new_error_id, status_of

log = logging.getLogger(__name__)

BODY_S = 30.0
"""Time that a client has to send a JSON body."""

LONG_BYTES = 16 << 10
"""Longer JSON bodies are read in a thread, so that they do not delay other callers."""

_TITLES = {
    404: "NO_SUCH_PATH",
    405: "METHOD_NOT_ALLOWED",
    408: "TIMEOUT",
    412: "WRONG_VERSION",
    413: "TOO_LARGE",
}

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Limits on a JSON body: its size and the number of its members."""

    size_bytes: int
    fields: int


def make_app(channel: grpc.aio.Channel, limits: BodyLimits, allowed_origins: Sequence[str] = ()) -> Starlette:
    """Returns the application that calls the API through `channel`.

    Browsers may use it from pages of `allowed_origins`, by default only from its own.
    """
    api = Api(channel)
    transcoded = [_transcoded(route, api, limits) for route in routes()]
    arriving, leaving = Uploads(api), Downloads(api)
    health = health_pb2_grpc.HealthStub(channel)
    document = JSONResponse(openapi())
    app = Starlette(
        routes=[
            _route("/v1/uploads", arriving.options, "OPTIONS"),
            _route("/v1/uploads", arriving.create, "POST"),
            _route("/v1/uploads/{upload_id}", arriving.head, "HEAD"),
            _route("/v1/uploads/{upload_id}", arriving.patch, "PATCH"),
            _route("/v1/uploads/{upload_id}", arriving.put, "PUT"),
            _route("/v1/artifacts/{name}", leaving.get, "GET", "HEAD"),
            _route("/v1/jobs/{job_id}/project", Bundles(api).get, "GET"),
            *transcoded,
            *session.routes(api),
            *page.routes(),
            _route("/openapi.json", _constant(document), "GET"),
            _route("/healthz", _health(health, "live"), "GET"),
            _route("/readyz", _health(health, ""), "GET"),
        ],
        middleware=[*([_cors(allowed_origins)] if allowed_origins else []), Middleware(SessionMiddleware)],
        exception_handlers={
            EtbgmError: _refused,
            grpc.aio.AioRpcError: _failed,
            HTTPException: _no_such,
            ClientDisconnect: _left,
            Exception: _internal,
        },
    )
    # It would redirect to the host that the client names.
    app.router.redirect_slashes = False
    return app


def _route(path: str, handler: Handler, *methods: str) -> HttpRoute:
    route = HttpRoute(path, handler, methods=list(methods))
    route.methods = set(methods)  # Starlette adds HEAD to GET.
    return route


def _transcoded(route: Route, api: Api, limits: BodyLimits) -> HttpRoute:
    async def handle(request: Request) -> Response:
        body = await _body(request, limits.size_bytes) if route.has_body else b""
        query = request.query_params.multi_items()
        given = (route, request.path_params, query, body, limits.fields)
        message = (
            await asyncio.to_thread(request_of, *given) if len(body) > LONG_BYTES else request_of(*given)
        )
        if route.rpc.server_streaming:
            return await _events(api, route, message, request)
        return JSONResponse(json_of(await api.unary(route.rpc, message, request)))

    return _route(route.path, handle, route.http_method)


async def _events(api: Api, route: Route, message: Message, request: Request) -> Response:
    assert isinstance(message, gateway_pb2.WatchJobRequest)
    message.after_sequence = message.after_sequence or events.sequence_of(
        request.headers.get("last-event-id")
    )
    call = api.stream(route.rpc, message, request)
    first = await anext(aiter(call), None)  # So that an error is answered with its status.

    async def updates() -> events.Updates:
        try:
            if first is not None:
                yield first
                async for update in call:
                    yield update
        finally:
            call.cancel()

    return events.events(updates())


async def _body(request: Request, most_bytes: int) -> bytes:
    """Returns the whole body. Raises HTTPException if it is too large or does not arrive in time."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise HTTPException(413, f"the body exceeds {most_bytes:,} bytes")
    except TimeoutError:
        raise HTTPException(408, f"the body did not arrive within {BODY_S:.0f} s") from None
    return bytes(body)


def _constant(response: Response) -> Handler:
    async def handle(_: Request) -> Response:
        return response

    return handle


def _health(stub: health_pb2_grpc.HealthStub, name: str) -> Handler:
    async def handle(_: Request) -> Response:
        answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))  # type: ignore[attr-defined]
        is_serving = answer.status == health_pb2.HealthCheckResponse.SERVING
        return PlainTextResponse("ok" if is_serving else "not serving", 200 if is_serving else 503)

    return handle


def _cors(origins: Sequence[str]) -> Middleware:
    return Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["*"],
        expose_headers=["Location", "Upload-Offset", "Upload-Length", "Tus-Resumable", "ETag", "Retry-After"],
    )


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, EtbgmError)
    return problems.problem(status_of(error))


async def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, grpc.aio.AioRpcError)
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # has the methods of a Call
    if status is None:
        status = Status(code=error.code().value[0], message=error.details() or "")
    is_upload = request.url.path.startswith("/v1/uploads")
    return problems.problem(status, uploads.http_status_of(error) if is_upload else None)


async def _no_such(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = _TITLES.get(error.status_code, "REFUSED")
    return problems.simple_problem(error.status_code, title, error.detail, error.headers or {})


async def _internal(request: Request, error: Exception) -> Response:
    error_id = new_error_id()
    fields = {"error_id": error_id, "path": request.scope.get("path")}
    log.error("internal error of the HTTP server", exc_info=error, extra=fields)
    return problems.problem(internal_status(error_id))


async def _left(_: Request, __: Exception) -> Response:
    return Response(status_code=499)
