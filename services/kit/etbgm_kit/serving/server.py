"""Start and stop of every server, the same way.

The port opens at once, with `live` SERVING and "" NOT_SERVING; the engine loads in
a thread; then "" is SERVING. A server whose engine cannot be loaded, for want of
weights for example, says so in its log, stays NOT_SERVING and tries again. On SIGTERM
"" is NOT_SERVING, clients get a moment to notice, streams that would last are told to
end, calls in flight get `drain_s` to finish, and the port closes. Kubernetes' startup
and readiness probes ask "", its liveness probe asks `live`.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health
from grpc_reflection.v1alpha import reflection
from prometheus_client.registry import Collector

from etbgm_kit.serving.interceptor import ErrorInterceptor
from etbgm_kit.serving.log import configure_logging
from etbgm_kit.serving.metrics import Metrics
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.settings import BadSettings, ServiceSettings
from etbgm_kit.serving.slot_wait import SlotWaitInterceptor

log = logging.getLogger(__name__)

NOTICE_S = 2.0
"""Between NOT_SERVING and the end: balancers need it to stop sending (measured: 0 calls lost)."""

LOAD_AGAIN_S = 30.0
"""After this an engine that could not be loaded is tried again: its weights may be on their way."""

_OPTIONS = (
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 32 << 20),
    # The gateway pings servers that compute in silence; by default a server takes that for an attack.
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
)
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass(frozen=True)
class Service:
    """One service, assembled: what `run` and `Server` need to serve it.

    `add_to` registers the servicer; `load` blocks until the engine is ready and
    warm; `close` ends what the engine started. `runner` refuses work until then. `metrics`
    are what only this service tells Prometheus. `stopping` is set when the server stops: streams
    without an end of their own wait for it (`stopping.pause`).
    """

    name: str
    full_name: str
    settings: ServiceSettings
    runner: Runner
    add_to: Callable[[grpc.aio.Server], None]
    load: Callable[[], None] = field(default=lambda: None)
    close: Callable[[], None] = field(default=lambda: None)
    metrics: tuple[Collector, ...] = ()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class Server:
    """A running service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._metrics = Metrics(service.runner, service.metrics)
        interceptors = (self._metrics, ErrorInterceptor(), SlotWaitInterceptor())
        self._server = grpc.aio.server(interceptors=interceptors, options=_OPTIONS)
        self._health = health.HealthServicer()
        self.port = 0

    async def start(self) -> None:
        """Opens the port, loads the engine, declares itself ready.

        Raises what loading raises, after closing the port.
        """
        await self.open()
        try:
            await self.load()
        except BaseException:
            await self._server.stop(None)
            raise

    async def open(self) -> None:
        """Opens the port; the server is alive, not ready."""
        service = self._service
        service.add_to(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (service.full_name, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), self._server)
        self._metrics.serve(service.settings.metrics_port)
        self.port = self._server.add_insecure_port(service.settings.listen_address)
        await self._health.set("live", _SERVING)
        await self._set_ready(_NOT_SERVING)
        await self._server.start()
        if service.settings.port_file:
            service.settings.port_file.write_text(str(self.port))
        log.info("listening", extra={"service": service.name, "port": self.port})

    async def load(self, stopping: asyncio.Event | None = None) -> None:
        """Loads the engine and declares the server ready, unless it is `stopping` by then.

        Raises what loading raises.
        """
        await asyncio.to_thread(self._service.load)
        if stopping and stopping.is_set():
            return
        self._service.runner.open()
        await self._set_ready(_SERVING)
        log.info("ready", extra={"service": self._service.name})

    async def stop(self, notice_s: float = NOTICE_S) -> None:
        """Refuses new calls, lets those in flight finish, closes."""
        await self._set_ready(_NOT_SERVING)
        await asyncio.sleep(notice_s if self._service.runner.inside else 0)
        self._service.stopping.set()
        await self._server.stop(self._service.settings.drain_s)
        self._service.runner.close()
        await asyncio.to_thread(self._service.close)
        await asyncio.to_thread(self._metrics.close)
        log.info("stopped", extra={"service": self._service.name})

    async def _set_ready(self, status: int) -> None:
        await self._health.set("", status)
        await self._health.set(self._service.full_name, status)


def run(build: Callable[[], Service]) -> None:
    """The body of each service's `main`: serves what `build` assembles until SIGTERM or SIGINT.

    Where `build` raises BadSettings the process ends with one line in the log.
    """
    asyncio.run(_serve(build))


async def _serve(build: Callable[[], Service]) -> None:
    try:
        service = build()
    except BadSettings as error:
        configure_logging("ERROR")
        log.error("the settings cannot be used", extra={"why": str(error)})
        raise SystemExit(1) from None
    configure_logging(service.settings.log_level)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopping.set)
    if service.settings.stop_with_parent:
        loop.add_reader(sys.stdin.fileno(), _stop_reading, loop, stopping)
    server = Server(service)
    await server.open()
    try:
        await _load(server, service, stopping)
        await stopping.wait()
    finally:
        await server.stop()


async def _load(server: Server, service: Service, stopping: asyncio.Event) -> None:
    """Until the engine is loaded or the server is to stop; SystemExit when a parent waits for it."""
    while not stopping.is_set():
        try:
            await server.load(stopping)
        except RuntimeError as error:
            log.error("the engine cannot be loaded", extra={"service": service.name, "why": str(error)})
        else:
            return
        if service.settings.stop_with_parent:
            raise SystemExit(1)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOAD_AGAIN_S)


def _stop_reading(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    loop.remove_reader(sys.stdin.fileno())
    stopping.set()
