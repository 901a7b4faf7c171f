"""Prometheus metrics of every server: calls, slots, waiting and computing times."""

import socket
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from wsgiref.simple_server import WSGIServer

import grpc
from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from etbgm_kit.converters import seconds_from_pb
from etbgm_kit.serving.interceptor import Context, Stream, Unary, Wrapping
from etbgm_kit.serving.runner import Runner

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
"""Upper bounds of the histograms' buckets: from a memo lookup to an hour of music."""


class Metrics(Wrapping):
    """The metrics of one server, and the interceptor that counts its calls."""

    def __init__(self, runner: Runner, others: Iterable[Collector] = ()) -> None:
        """`others` are collectors that only this service has."""
        self._registry = registry = CollectorRegistry()
        for collector in (ProcessCollector(registry=None), *others):
            registry.register(collector)
        counter = partial(Counter, registry=registry)
        histogram = partial(Histogram, labelnames=("method",), buckets=SECONDS, registry=registry)
        self._calls = counter("etbgm_calls", "Calls that have ended.", ("method", "code"))
        self._found = counter("etbgm_found", "Calls whose result was known from before.", ("method",))
        self._seconds = histogram("etbgm_call_seconds", "Duration of calls.")
        self._queue = histogram("etbgm_queue_seconds", "Time that calls waited for a slot.")
        self._inference = histogram("etbgm_inference_seconds", "Time that calls computed.")
        gauge = partial(Gauge, registry=registry)
        self._in_flight = gauge("etbgm_calls_in_flight", "Calls that have not ended.", ("method",))
        gauge("etbgm_slots", "Calls that may compute at the same time.").set(runner.slots)
        taken = gauge("etbgm_slots_taken", "Calls that compute.")
        taken.set_function(lambda: min(runner.inside, runner.slots))
        waiting = gauge("etbgm_calls_waiting", "Calls in line for a slot.")
        waiting.set_function(lambda: max(0, runner.inside - runner.slots))
        self._http: WSGIServer | None = None

    def serve(self, port: int, host: str = "") -> None:
        """Serves metrics on `port`, 0 for none, of `host`, "" for all interfaces, until `close` is called."""
        if port:
            address = host or ("::" if socket.has_dualstack_ipv6() else "0.0.0.0")
            self._http, _ = start_http_server(port, address, self._registry)

    def close(self) -> None:
        """Stops the metrics server. Blocks."""
        if self._http:
            self._http.shutdown()
            self._http.server_close()

    def unary(self, inner: Unary, method: str) -> Unary:
        """See Wrapping."""

        async def call(request: object, context: Context) -> Message:
            with self._counted(method, context):
                response = await inner(request, context)
                self._timed(method, response)
                return response

        return call

    def stream(self, inner: Stream, method: str) -> Stream:
        """See Wrapping."""

        async def call(request: object, context: Context) -> AsyncIterator[Message]:
            with self._counted(method, context):
                async for response in inner(request, context):
                    self._timed(method, getattr(response, "result", None))
                    yield response

        return call

    @contextmanager
    def _counted(self, method: str, context: Context) -> Iterator[None]:
        started, code = time.monotonic(), "OK"
        try:
            with self._in_flight.labels(method).track_inprogress():
                yield
        except grpc.aio.AbortError:
            code = grpc.StatusCode(context.code()).name if context.code() else "UNKNOWN"
            raise
        except BaseException:
            code = "CANCELLED"
            raise
        finally:
            self._calls.labels(method, code).inc()
            self._seconds.labels(method).observe(time.monotonic() - started)

    def _timed(self, method: str, result: Any) -> None:
        """Records the timings of `result`, if it has any."""
        timings = getattr(result, "timings", None)
        if timings is None or not result.HasField("timings"):
            return
        if timings.found:
            self._found.labels(method).inc()
        else:
            self._queue.labels(method).observe(seconds_from_pb(timings.queue_duration))
            self._inference.labels(method).observe(seconds_from_pb(timings.inference_duration))
