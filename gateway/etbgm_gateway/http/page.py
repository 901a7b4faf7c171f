"""The web page: static files, served from memory under a strict Content Security Policy.

The page is written in ES modules that browsers load as they are, so there is no build step. It uses the same
API as every other caller; `session` is how it identifies itself.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = files("etbgm_gateway") / "page"

_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}

HEADERS = {
    # Trusted Types make it an error to turn a text into markup or a script.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # Asked for again each time, and answered with 304 while it is the same.
    "Vary": "Accept-Encoding",
}
"""Headers of each file (W3C CSP Level 3; Trusted Types)."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page: its bytes, plain and compressed, and its entity tag."""

    media_type: str
    plain: bytes
    compressed: bytes
    etag: str


def assets() -> dict[str, Asset]:
    """Reads all files of the page; names are relative to FOLDER, such as "views/home.js"."""
    return {name: _asset(name, file.read_bytes()) for name, file in _files(FOLDER, "")}


def routes() -> list[Route]:
    """The page at "/", and its files below "/page/"."""
    served = assets()

    async def index(request: Request) -> Response:
        return _answer(served["index.html"], request)

    async def file(request: Request) -> Response:
        asset = served.get(request.path_params["name"])
        return _answer(asset, request) if asset else Response(status_code=404)

    return [Route("/", index), Route("/page/{name:path}", file)]


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _MEDIA_TYPES:
            yield f"{prefix}{entry.name}", entry


def _asset(name: str, plain: bytes) -> Asset:
    tag = hashlib.sha256(plain).hexdigest()[:32]
    return Asset(_MEDIA_TYPES[name.rpartition(".")[2]], plain, gzip.compress(plain, mtime=0), f'"{tag}"')


def _answer(asset: Asset, request: Request) -> Response:
    headers = {**HEADERS, "ETag": asset.etag}
    if asset.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(asset.plain, headers=headers, media_type=asset.media_type)
    headers["Content-Encoding"] = "gzip"
    return Response(asset.compressed, headers=headers, media_type=asset.media_type)
