"""Runs the HTTP application in the gateway's process, beside its gRPC server."""

import asyncio
import contextlib
import logging
import socket
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import uvicorn
from starlette.applications import Starlette

from etbgm_gateway.http.app import BodyLimits, make_app
from etbgm_kit.errors import ServerStopping
from etbgm_kit.serving.settings import BadSettings
from etbgm_kit.serving.stopping import pause

log = logging.getLogger(__name__)

RENEW_S = 30.0
"""Interval at which the certificate is read again."""

CONNECTIONS = 4096
"""HTTP connections at the same time; further ones are answered with 503."""


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Where to listen (host:port), the limits on a JSON body, and web pages that may call the API.

    With `cert_file` and `key_file` (PEM) it speaks TLS; clients then need a certificate that an authority
    in `client_ca_file` has signed, if that is given.
    """

    address: str
    limits: BodyLimits
    allowed_origins: Sequence[str] = ()
    cert_file: Path | None = None
    key_file: Path | None = None
    client_ca_file: Path | None = None


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
            app = make_app(channel, self._options.limits, self._options.allowed_origins)
            config = self._config(app)
            server = _Uvicorn(config)
            serving = asyncio.create_task(server.serve([self._listener]))
            log.info("HTTP is listening", extra={"port": self.port})
            try:
                with contextlib.suppress(ServerStopping):
                    while True:
                        await pause(self._stopping, RENEW_S)
                        self._renew(config)
            finally:
                server.should_exit = True
                await serving
                self._folder.cleanup()

    def _config(self, app: Starlette) -> uvicorn.Config:
        options = self._options
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            limit_concurrency=CONNECTIONS,
            server_header=False,
            timeout_graceful_shutdown=5,
            lifespan="off",
            ssl_certfile=options.cert_file,
            ssl_keyfile=options.key_file,
            ssl_ca_certs=str(options.client_ca_file) if options.client_ca_file else None,
            ssl_cert_reqs=ssl.CERT_REQUIRED if options.client_ca_file else ssl.CERT_NONE,
        )
        config.load()
        return config

    def _renew(self, config: uvicorn.Config) -> None:
        """Lets new connections use the certificate as it is in its files now."""
        if config.ssl and self._options.cert_file:
            try:
                config.ssl.load_cert_chain(self._options.cert_file, self._options.key_file)
            except OSError as error:  # ssl.SSLError is one: the files may be half written
                log.warning("the certificate cannot be read", extra={"reason": repr(error)})

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
