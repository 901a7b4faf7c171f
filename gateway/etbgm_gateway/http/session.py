"""Sessions of the web page: a cookie that stands for the caller's key, and cookies of links to results.

A session is a random text of its own, which the API knows (sessions.proto). It ends with the key, and any
gateway continues it. A link's text is in a cookie of its own, and counts for requests that name it: then
nothing but the link counts, so that its view shows a user of another account what it shows everyone.

Browsers send cookies with all requests to this host, also with those that a page of another origin makes.
They therefore count only for requests of this origin: see `_is_own`.
"""

import json
import re
import time
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from grpc.aio import AioRpcError
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from etbgm.gateway.v1 import capabilities_pb2, sessions_pb2
from etbgm_gateway.http.calls import Api, rpc_of
from etbgm_kit.errors import InvalidField

COOKIE, SHARE_COOKIE = "etbgm_session", "etbgm_share_"
"""Name of the session's cookie; beginning of the name of a link's, which its id follows."""
SHARED = "shared"
"""Query parameter with the id of a link."""
PATH = "/session"

_METHODS = sessions_pb2.DESCRIPTOR.services_by_name["SessionService"].methods_by_name
_OPEN, _CLOSE = _METHODS["OpenSession"], _METHODS["CloseSession"]

_MOST_BYTES = 16 << 10
_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")
_SHARE = re.compile(r"etbgm-share_([a-z0-9]{12})_[A-Za-z0-9_-]{43}")
_EXAMPLES = {"key": "etbgm_…", "share": "etbgm-share_…"}
_SAFE = {"GET", "HEAD", "OPTIONS"}
"""Methods that change nothing (RFC 9110, 9.2.1)."""


def routes(api: Api) -> list[Route]:
    """POST opens a session ({"key": "…"}) or keeps a link ({"share": "…"}); DELETE ends the session."""

    async def create(request: Request) -> Response:
        field, text = _credential_in(await _body(request))
        MutableHeaders(scope=request.scope)["authorization"] = f"Bearer {text}"
        asking = Request(request.scope)
        if field == "share":
            await api.unary(rpc_of("GetCapabilities"), capabilities_pb2.GetCapabilitiesRequest(), asking)
            found = _SHARE.fullmatch(text)
            assert found
            return _with_cookie(request, f"{SHARE_COOKIE}{found[1]}", text, None)
        opened = await api.unary(_OPEN, sessions_pb2.OpenSessionRequest(), asking)
        assert isinstance(opened, sessions_pb2.OpenSessionResponse)
        return _with_cookie(request, COOKIE, opened.text, opened.expire_time.seconds - int(time.time()))

    async def delete(request: Request) -> Response:
        with suppress(AioRpcError):  # It has ended already.
            await api.unary(_CLOSE, sessions_pb2.CloseSessionRequest(), request)
        return _with_cookie(request, COOKIE, "", 0)

    return [Route(PATH, create, methods=["POST"]), Route(PATH, delete, methods=["DELETE"])]


class SessionMiddleware:
    """Takes a key from a cookie where a request of the page has no Authorization header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Calls the application."""
        if scope["type"] == "http":
            headers, cookie = Headers(scope=scope), COOKIE
            if share_id := _taken_from_query(scope):
                cookie = f"{SHARE_COOKIE}{share_id}"
            key = _key_of(headers.get("cookie", ""), cookie)
            if key and "authorization" not in headers and _is_own(scope["method"], headers):
                MutableHeaders(scope=scope)["authorization"] = f"Bearer {key}"
        await self._app(scope, receive, send)


def _taken_from_query(scope: Scope) -> str:
    """Takes the id of a link out of the query, which the API does not know; "" without one."""
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
    share_id = next((value for name, value in query if name == SHARED), "")
    if share_id:
        scope["query_string"] = urlencode([one for one in query if one[0] != SHARED]).encode()
    return share_id


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


def _credential_in(body: bytes) -> tuple[str, str]:
    """Returns the name and the text of the credential in the JSON body. Raises InvalidField."""
    try:
        given = json.loads(body) if len(body) <= _MOST_BYTES else {}
    except ValueError:
        given = {}
    if not isinstance(given, dict):
        given = {}
    field = "share" if "share" in given else "key"
    text = given.get(field)
    if not isinstance(text, str) or not (_SHARE if field == "share" else _KEY).fullmatch(text):
        raise InvalidField(field, f"must be a {field}, such as {_EXAMPLES[field]}")
    return field, text


def _key_of(cookies: str, name: str) -> str:
    try:
        found = SimpleCookie(cookies).get(name)
    except CookieError:
        return ""
    return found.value if found and _KEY.fullmatch(found.value) else ""


def _with_cookie(request: Request, name: str, text: str, keep_s: int | None) -> Response:
    """Sets the cookie for `keep_s`; with None, until the browser is closed."""
    response = Response(status_code=204)
    secure = request.url.scheme == "https"
    response.set_cookie(name, text, max_age=keep_s, httponly=True, samesite="strict", secure=secure)
    return response
