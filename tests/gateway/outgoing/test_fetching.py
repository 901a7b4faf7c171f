"""Videos from real servers on loopback, which break off, change and redirect."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from etbgm_gateway.outgoing import fetching
from etbgm_gateway.outgoing.errors import SourceUnreachable, TooLarge
from etbgm_gateway.outgoing.fetching import HttpFetcher, HttpLimits
from etbgm_gateway.outgoing.places import PlaceRules
from etbgm_kit.errors import InvalidField, NotFound
from tests.gateway.outgoing.test_sessions import HERE, serving

pytestmark = pytest.mark.process

VIDEO = bytes(range(256)) * 4096
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PAUSE_S", 0.01)


class Breaking:
    """Sends at most `part` bytes and breaks off; continues by range if `tags` name the content."""

    def __init__(self, part: int, *tags: str) -> None:
        self.part, self.tags, self.requests = part, list(tags), list[str]()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        tag = self.tags.pop(0) if len(self.tags) > 1 else "".join(self.tags)
        is_same = bool(tag) and request.headers.get("If-Range") == tag
        start = int(request.headers["Range"][6:-1]) if is_same else 0
        self.requests.append(request.headers.get("Range", ""))
        response = web.StreamResponse(status=206 if is_same else 200)
        response.content_type = "video/mp4"
        response.content_length = len(VIDEO) - start
        if tag:
            response.headers["ETag"] = tag
        if is_same:
            response.headers["Content-Range"] = f"bytes {start}-{len(VIDEO) - 1}/{len(VIDEO)}"
        await response.prepare(request)
        await response.write(VIDEO[start : start + self.part])
        if len(VIDEO) - start > self.part:
            assert request.transport
            request.transport.close()
        return response


async def fetch(
    handler: Handler, folder: Path, path: str = "/video.mp4", most_bytes: int = 1 << 24
) -> tuple[bytes, str]:
    """What is fetched from a server with this handler, and its media type."""
    async with serving(handler) as port:
        places = PlaceRules((f"http://127.0.0.1:{port}/",))
        fetcher = HttpFetcher(HERE, places, HttpLimits(most_bytes, 20))
        target = folder / "video"
        fractions: list[float] = []
        url = f"http://127.0.0.1:{port}{path}"
        media_type = await fetcher.fetch(url, "default", target, fractions.append)
    assert fractions[-1] == 1.0
    return target.read_bytes(), media_type


async def test_a_broken_connection_is_continued(tmp_path: Path) -> None:
    server = Breaking(300_000, '"one"')
    assert await fetch(server.handle, tmp_path) == (VIDEO, "video/mp4")
    assert len(server.requests) >= 4
    assert server.requests[0] == "" and all(each.startswith("bytes=") for each in server.requests[1:])


async def test_content_that_has_changed_is_fetched_from_its_beginning(tmp_path: Path) -> None:
    server = Breaking(600_000, '"one"', '"two"')
    assert (await fetch(server.handle, tmp_path))[0] == VIDEO
    assert len(server.requests) >= 3


async def test_without_a_tag_each_attempt_begins_anew(tmp_path: Path) -> None:
    server = Breaking(600_000)
    with pytest.raises(SourceUnreachable):
        await fetch(server.handle, tmp_path)
    assert len(server.requests) >= fetching.ATTEMPTS and not any(server.requests)


@pytest.mark.parametrize(
    ("status", "error", "requests"),
    [(404, NotFound, 1), (410, NotFound, 1), (403, InvalidField, 1), (503, SourceUnreachable, 6)],
)
async def test_refusals(tmp_path: Path, status: int, error: type[Exception], requests: int) -> None:
    seen = []

    async def refuse(request: web.Request) -> web.Response:
        seen.append(request)
        return web.Response(status=status)

    with pytest.raises(error, match=str(status)):
        await fetch(refuse, tmp_path)
    assert len(seen) == requests


async def test_a_video_that_is_too_large_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="1,000 bytes"):
        await fetch(Breaking(len(VIDEO), '"one"').handle, tmp_path, most_bytes=1000)
    assert not (tmp_path / "video").exists()


async def test_nor_is_more_of_it_kept_when_its_size_is_not_told(tmp_path: Path) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        while True:
            await response.write(VIDEO)

    with pytest.raises(TooLarge):
        await fetch(endless, tmp_path, most_bytes=5 << 20)
    assert (tmp_path / "video").stat().st_size <= 5 << 20


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.2:80/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "//evil.example/",
        "../../%2e%2e/",
    ],
)
async def test_redirects_lead_only_where_the_caller_may_go(tmp_path: Path, target: str) -> None:
    async def redirect(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": target})

    with pytest.raises(InvalidField, match="source_url"):
        await fetch(redirect, tmp_path)


async def test_a_permitted_redirect_is_followed(tmp_path: Path) -> None:
    server = Breaking(len(VIDEO), '"one"')

    async def redirect(request: web.Request) -> web.StreamResponse:
        if request.path == "/old":
            return web.Response(status=307, headers={"Location": "/new"})
        return await server.handle(request)

    assert (await fetch(redirect, tmp_path, "/old"))[0] == VIDEO


async def test_circles_end(tmp_path: Path) -> None:
    async def circle(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/video.mp4"})

    with pytest.raises(InvalidField, match="redirects more than"):
        await fetch(circle, tmp_path)
