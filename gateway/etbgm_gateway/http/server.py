"""Runs the HTTP application in the gateway's process, beside its gRPC server."""

import asyncio
import contextlib
import logging
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import uvicorn

from etbgm_gateway.http.app import make_app
from etbgm_kit.serving.settings import BadSettings

log = logging.getLogger(__name__)

CONNECTIONS = 4096
"""HTTP connections at the same time; further ones are answered with 503."""


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Where to listen (host:port), the largest JSON body, and web pages that may call the API."""

    address: str
    max_body_bytes: int
    allowed_origins: Sequence[str] = ()


class HttpServer:
    """The API over HTTP. It calls the gateway's own gRPC server, through a socket of its user alone."""

    def __init__(self, options: HttpOptions, stopping: asyncio.Event) -> None:
        """Binds the port. Raises BadSettings if that is not possible."""
        self._options, self._stopping = options, stopping
        self._folder = tempfile.TemporaryDirectory(prefix="etbgm-")  # readable by the user alone
        self._listener = _bound(options.address)

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self._listener.getsockname()[1])

    def add_to(self, server: grpc.aio.Server) -> None:
        """Lets the gRPC server listen on the socket."""
        server.add_insecure_port(self._socket)

    async def serve(self) -> None:
        """Serves until `stopping` is set, then finishes the open requests."""
        async with grpc.aio.insecure_channel(self._socket) as channel:
            app = make_app(channel, self._options.max_body_bytes, self._options.allowed_origins)
            server = _Uvicorn(
                uvicorn.Config(
                    app,
                    log_config=None,
                    access_log=False,
                    limit_concurrency=CONNECTIONS,
                    server_header=False,
                    timeout_graceful_shutdown=5,
                    lifespan="off",
                )
            )
            serving = asyncio.create_task(server.serve([self._listener]))
            log.info("HTTP is listening", extra={"port": self.port})
            try:
                await self._stopping.wait()
            finally:
                server.should_exit = True
                await serving
                self._folder.cleanup()

    @property
    def _socket(self) -> str:
        return f"unix:{Path(self._folder.name) / 'gateway.sock'}"


class _Uvicorn(uvicorn.Server):
    """Leaves signals to the gateway."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bound(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server(
            (host, int(port)), family=family, dualstack_ipv6=host == "::", backlog=1024
        )
    except (ValueError, OSError) as error:
        raise BadSettings(f"ETBGM_HTTP_ADDRESS: {address}: {error}") from None
