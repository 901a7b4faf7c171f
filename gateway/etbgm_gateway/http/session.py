"""Sessions of the web page: a cookie that carries the caller's key.

Browsers send it with all requests to this host, also with those that a page of another origin makes. It
therefore counts only for requests of this origin: see `_is_own`. The key itself is checked with each call, by
the API, so that a revoked key ends its sessions and any gateway continues them.
"""

import json
import re
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from etbgm.gateway.v1 import queue_pb2
from etbgm_gateway.http.calls import Api, rpc_of
from etbgm_kit.errors import InvalidField

COOKIE = "etbgm_session"
PATH = "/session"
KEEP_S = 30 * 24 * 3600
"""How long a browser keeps the cookie."""

_MOST_BYTES = 16 << 10
_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")
_SAFE = {"GET", "HEAD", "OPTIONS"}
"""Methods that change nothing (RFC 9110, 9.2.1)."""


def routes(api: Api) -> list[Route]:
    """POST opens a session with {"key": "…"}, DELETE ends it."""

    async def create(request: Request) -> Response:
        key = _key_in(await _body(request))
        MutableHeaders(scope=request.scope)["authorization"] = f"Bearer {key}"
        asking = Request(request.scope)
        await api.unary(rpc_of("GetQueueStats"), queue_pb2.GetQueueStatsRequest(), asking)
        return _with_cookie(request, key, KEEP_S)

    async def delete(request: Request) -> Response:
        return _with_cookie(request, "", 0)

    return [Route(PATH, create, methods=["POST"]), Route(PATH, delete, methods=["DELETE"])]


class SessionMiddleware:
    """Takes the key from the cookie where a request of the page has no Authorization header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Calls the application."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            key = _key_of(headers.get("cookie", ""))
            if key and "authorization" not in headers and _is_own(scope["method"], headers):
                MutableHeaders(scope=scope)["authorization"] = f"Bearer {key}"
        await self._app(scope, receive, send)


def _is_own(method: str, headers: Headers) -> bool:
    """Whether the page, or the user, made the request (Fetch Metadata; RFC 6454 where browsers lack it).

    Browsers tell it in Sec-Fetch-Site, but only to TLS hosts and to the same machine; they always send
    Origin with requests that may change something.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is not None:
        return urlsplit(origin).netloc == headers.get("host")
    return method in _SAFE or site == "same-origin"


async def _body(request: Request) -> bytes:
    """Returns the first _MOST_BYTES of the body, and at least one more of a longer one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            break
    return bytes(body)


def _key_in(body: bytes) -> str:
    """Returns the key in the JSON body. Raises InvalidField."""
    try:
        key = json.loads(body)["key"] if len(body) <= _MOST_BYTES else None
    except (ValueError, KeyError, TypeError):
        key = None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidField("key", "must be a key, such as etbgm_…")
    return key


def _key_of(cookie: str) -> str:
    try:
        found = SimpleCookie(cookie).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found and _KEY.fullmatch(found.value) else ""


def _with_cookie(request: Request, key: str, keep_s: int) -> Response:
    response = Response(status_code=204)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, key, max_age=keep_s, httponly=True, samesite="strict", secure=secure)
    return response
