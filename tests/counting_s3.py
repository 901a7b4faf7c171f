"""A server that answers as S3 does, counts what is asked of it, and breaks off where a test wants it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_PART_BYTES = 1 << 16


class CountingS3:
    """Every key holds `data`; `requests` are methods and ranges, `sent` counts bytes."""

    def __init__(self, data: bytes) -> None:
        self.data, self.environment = data, dict[str, str]()
        self.forget()

    def forget(self) -> None:
        """Nobody has asked for anything yet."""
        self.requests: list[tuple[str, str]] = []
        self.sent = 0
        self.left = asyncio.Event()
        """Set when a client has left before the end."""
        self.breaks_after: int | None = None
        """Each response breaks off after so many bytes."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        wanted = request.http_range
        self.requests.append((request.method, request.headers.get("Range", "")))
        start, end = wanted.start or 0, wanted.stop or len(self.data)
        headers = {
            "Content-Length": str(end - start),
            "Content-Range": f"bytes {start}-{end - 1}/{len(self.data)}",
            "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT",
        }
        response = web.StreamResponse(status=206 if "Range" in request.headers else 200, headers=headers)
        await response.prepare(request)
        if request.method == "GET":
            await self._send(request, response, start, end)
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse, start: int, end: int) -> None:
        try:
            for first in range(start, end, _PART_BYTES):
                if self.breaks_after is not None and first - start >= self.breaks_after:
                    assert request.transport
                    request.transport.close()
                    return
                part = self.data[first : min(end, first + _PART_BYTES)]
                await response.write(part)
                self.sent += len(part)
        except (ConnectionError, asyncio.CancelledError):
            self.left.set()
            raise


@asynccontextmanager
async def counting_s3(data: bytes) -> AsyncIterator[CountingS3]:
    """Serves while the context lasts; `environment` is what clients need to know."""
    server = CountingS3(data)
    app = web.Application()
    app.router.add_route("*", "/{key:.*}", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    server.environment = {
        "AWS_ENDPOINT": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    try:
        yield server
    finally:
        await runner.cleanup()
