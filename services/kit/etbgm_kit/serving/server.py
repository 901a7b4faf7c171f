"""Starts and stops every server in the same way.

The port opens at once, with `live` SERVING and "" NOT_SERVING; the engine loads in
a thread; then "" becomes SERVING. If the engine cannot be loaded, for example because
weights are missing, the server logs the reason, stays NOT_SERVING and retries. On SIGTERM
"" becomes NOT_SERVING, clients get a moment to notice, open-ended streams are asked to
end, calls in flight get `drain_s` to finish, and the port closes. Kubernetes' startup
and readiness probes ask "", its liveness probe asks `live`. Both are NOT_SERVING while work
hangs (see watchdog.py).

The server pings a connection that is idle for `ping_after_s` and closes it if no answer arrives
within `ping_timeout_s`, so that a frozen or vanished client does not hold resources for long.
Clients may ping every 5 s, with and without calls.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health

from etbgm_kit.serving import tracing
from etbgm_kit.serving.interceptor import ErrorInterceptor
from etbgm_kit.serving.limits import LimitsInterceptor
from etbgm_kit.serving.reflection import enable_reflection
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.settings import ServiceSettings
from etbgm_kit.serving.tls import server_credentials
from etbgm_kit.serving.watchdog import Watchdog

if TYPE_CHECKING:
    from prometheus_client.registry import Collector

    from etbgm_kit.serving.metrics import Metrics

log = logging.getLogger(__name__)

NOTICE_S = 2.0
"""Delay between NOT_SERVING and shutdown. Load balancers need it to stop sending calls (measured: 0
calls lost)."""

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING

SetHealth = Callable[[str, bool], Awaitable[None]]
"""Sets the health entry with this name; True means SERVING."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Another address, with servicers of its own that the service's clients cannot reach."""

    address: str
    add_to: Callable[[grpc.aio.Server], None]


@dataclass(frozen=True)
class Service:
    """The parts of one service that `run` and `Server` need to serve it.

    `add_to` registers the servicer; `load` blocks until the engine is ready and warm, and `runner`
    refuses work until then, as do `other_runners`; `close` stops what the engine started. `metrics` are
    Prometheus collectors that only this service has. `stopping` is set when the server stops; open-ended
    streams wait for it (`stopping.pause`). `interceptors` run inside of those that translate errors, but not
    for `listeners`. `report_health` runs as long as the server and sets further health entries. What is in
    `beside` runs from the opening of the port until `stopping`.
    """

    name: str
    full_name: str
    settings: ServiceSettings
    runner: Runner
    add_to: Callable[[grpc.aio.Server], None]
    load: Callable[[], None] = field(default=lambda: None)
    close: Callable[[], None] = field(default=lambda: None)
    other_runners: tuple[Runner, ...] = ()
    metrics: tuple["Collector", ...] = ()
    listeners: tuple[Listener, ...] = ()
    interceptors: tuple[grpc.aio.ServerInterceptor, ...] = ()
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    report_health: Callable[[SetHealth], Coroutine[Any, Any, None]] | None = None
    beside: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()

    @property
    def runners(self) -> tuple[Runner, ...]:
        """All runners: what they run is watched, and waited for at the end."""
        return (self.runner, *self.other_runners)


class Server:
    """A running service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._metrics, self._credentials = _metrics_of(service), server_credentials(service.settings)
        counting = [self._metrics] if self._metrics else []
        traced = tracing.server_interceptors(service.name)
        interceptors = (*traced, *counting, ErrorInterceptor(), LimitsInterceptor())
        options = _options(service.settings)
        own = (*interceptors, *service.interceptors)
        self._server = grpc.aio.server(interceptors=own, options=options)
        self._others = [
            grpc.aio.server(interceptors=interceptors, options=options) for _ in service.listeners
        ]
        self._health = health.HealthServicer()
        self._is_ready = self._hangs = False
        self._tasks: list[asyncio.Task[None]] = []
        self._beside: list[asyncio.Task[None]] = []
        self.port = 0

    async def start(self) -> None:
        """Opens the port, loads the engine and declares the server ready.

        Raises what loading raises, after closing the port.
        """
        await self.open()
        try:
            await self.load()
        except BaseException:
            await self._server.stop(None)
            raise

    async def open(self) -> None:
        """Opens the port. The server is then alive but not ready."""
        service = self._service
        service.add_to(self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        names = (service.full_name, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        enable_reflection(names, self._server)
        if self._metrics:
            self._metrics.serve(service.settings.metrics_port, service.settings.metrics_host)
        if self._credentials:
            self.port = self._server.add_secure_port(service.settings.listen_address, self._credentials)
        else:
            self.port = self._server.add_insecure_port(service.settings.listen_address)
        await self._publish()
        for listener, other in zip(service.listeners, self._others, strict=True):
            listener.add_to(other)
            other.add_insecure_port(listener.address)
            await other.start()
        await self._server.start()
        self._watch()
        if service.settings.port_file:
            service.settings.port_file.write_text(str(self.port))
        log.info("listening", extra={"service": service.name, "port": self.port})

    async def load(self, stopping: asyncio.Event | None = None) -> None:
        """Loads the engine and declares the server ready, unless `stopping` is set by then.

        Raises what loading raises.
        """
        await asyncio.to_thread(self._service.load)
        if stopping and stopping.is_set():
            return
        for runner in self._service.runners:
            runner.open()
        await self._set_ready(True)
        log.info("ready", extra={"service": self._service.name})

    async def stop(self, notice_s: float = NOTICE_S) -> None:
        """Refuses new calls, lets calls in flight finish and closes the server."""
        await self._set_ready(False)
        await asyncio.sleep(notice_s if any(runner.inside for runner in self._service.runners) else 0)
        self._service.stopping.set()
        await asyncio.gather(*self._beside)
        servers = (self._server, *self._others)
        await asyncio.gather(*(server.stop(self._service.settings.drain_s) for server in servers))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(runner.close() for runner in self._service.runners))
        await asyncio.to_thread(self._service.close)
        if self._metrics:
            await asyncio.to_thread(self._metrics.close)
        await asyncio.to_thread(tracing.stop)
        log.info("stopped", extra={"service": self._service.name})

    def _watch(self) -> None:
        service, settings = self._service, self._service.settings
        watchdog = Watchdog(service.runners, settings.work_limit_s, settings.work_grace_s, self._set_hangs)
        self._tasks.append(asyncio.create_task(watchdog.watch()))
        if service.report_health:
            self._tasks.append(asyncio.create_task(service.report_health(self._set_health)))
        self._beside = [asyncio.create_task(work()) for work in service.beside]

    async def _set_ready(self, is_ready: bool) -> None:
        self._is_ready = is_ready
        await self._publish()

    async def _set_hangs(self, hangs: bool) -> None:
        self._hangs = hangs
        await self._publish()

    async def _publish(self) -> None:
        await self._set_health("live", not self._hangs)
        for name in ("", self._service.full_name):
            await self._set_health(name, self._is_ready and not self._hangs)

    async def _set_health(self, name: str, is_serving: bool) -> None:
        await self._health.set(name, _SERVING if is_serving else _NOT_SERVING)


def _options(settings: ServiceSettings) -> tuple[tuple[str, int], ...]:
    return (
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.keepalive_time_ms", round(settings.ping_after_s * 1000)),
        ("grpc.keepalive_timeout_ms", round(settings.ping_timeout_s * 1000)),
        # gRPC waits for the longer of these two timeouts; this one is a minute by default.
        ("grpc.http2.ping_timeout_ms", round(settings.ping_timeout_s * 1000)),
        ("grpc.http2.max_pings_without_data", 0),
        # What arrives of a request before it is refused is in memory: 1 MiB a call, where gRPC would measure
        # the connection and allow more. It limits an upload to 20 MB/s at a round trip of 50 ms.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 1 << 20),
        # By default, gRPC treats clients that ping this often, or without a call, as abusive.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    )


def _metrics_of(service: Service) -> "Metrics | None":
    """The service's metrics. If they are disabled, returns None without importing prometheus_client."""
    if not service.settings.metrics_port:
        return None
    from etbgm_kit.serving.metrics import Metrics

    return Metrics(service.runner, service.metrics)
