"""Traces by OpenTelemetry: one for each job, from its caller through the gateway and all services.

Nothing is traced, and nothing of OpenTelemetry is imported, unless OTEL_EXPORTER_OTLP_ENDPOINT or
OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says where traces go (by OTLP over gRPC). OpenTelemetry's other
variables apply too, such as OTEL_TRACES_SAMPLER. Spans have names of methods and stages, and ids.
Contexts pass from server to server as W3C Trace Context does, in the metadata `traceparent`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import grpc

from etbgm_kit.serving.settings import BadSettings

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

PARENT = "traceparent"
FLUSH_MS = 2000
"""Time that a stopping server has to send its last spans."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")


def is_enabled() -> bool:
    """Whether the environment says where traces go."""
    return any(os.environ.get(name) for name in _ENDPOINTS)


def server_interceptors(service: str) -> tuple[grpc.aio.ServerInterceptor, ...]:
    """Returns what traces the calls of a server, except those of health and reflection.

    Raises BadSettings if traces are wanted and the extra `tracing` is not installed.
    """
    if not is_enabled():
        return ()
    try:
        _start(service)
        from opentelemetry.instrumentation.grpc import aio_server_interceptor
    except ImportError as error:
        raise BadSettings(f"{_ENDPOINTS[0]}: traces need pip install 'etbgm-kit[tracing]'") from error
    return (aio_server_interceptor(filter_=_is_ours),)  # type: ignore[no-untyped-call]


@contextmanager
def span(name: str, parent: str = "", **attributes: str) -> Iterator[None]:
    """Traces what happens inside the context, below the current span or below `parent` (a traceparent)."""
    if not is_enabled():
        yield
        return
    from opentelemetry.propagate import extract

    context = extract({PARENT: parent}) if parent else None
    with _tracer().start_as_current_span(name, context, attributes=attributes):
        yield


def outgoing() -> tuple[tuple[str, str], ...]:
    """Returns the current context as metadata of a call; () if nothing is traced."""
    if not is_enabled():
        return ()
    from opentelemetry.propagate import inject

    carrier: dict[str, str] = {}
    inject(carrier)
    return tuple(carrier.items())


def current() -> str:
    """Returns the current context as a traceparent; "" if nothing is traced."""
    return dict(outgoing()).get(PARENT, "")


def ids() -> dict[str, str]:
    """Returns the ids of the current trace and span for a line of the log; {} if nothing is traced."""
    _, _, rest = current().partition("-")
    trace_id, _, rest = rest.partition("-")
    return {"trace_id": trace_id, "span_id": rest.partition("-")[0]} if trace_id else {}


def stop() -> None:
    """Sends what was not sent yet. Blocks."""
    if is_enabled():
        from opentelemetry import trace

        provider: Any = trace.get_tracer_provider()
        provider.force_flush(FLUSH_MS)


@cache
def _start(service: str) -> None:
    """Has all spans of this process sent in batches."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", f"etbgm-{service}")
    # Not at exit: an unreachable collector would delay the end of the process; see `stop`.
    provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


@cache
def _tracer() -> "Tracer":
    from opentelemetry import trace

    return trace.get_tracer("etbgm")


def _is_ours(call: grpc.HandlerCallDetails) -> bool:
    return not call.method.startswith("/grpc.")
