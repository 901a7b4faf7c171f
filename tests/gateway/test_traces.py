"""Traces and the audit log of real gateways; a collector of the test's own receives the spans."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import AsyncClient
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.process

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps all spans, each with the name of its service."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []

    async def Export(self, request: Any, _: object) -> Any:
        for group in request.resource_spans:
            names = {each.key: each.value.string_value for each in group.resource.attributes}
            for scope in group.scope_spans:
                self.spans += [(names["service.name"], span) for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()

    def named(self, name: str) -> Span:
        (span,) = [span for _, span in self.spans if span.name.endswith(name)]
        return span


@pytest.fixture
async def collector() -> AsyncIterator[tuple[Collector, str]]:
    server, collector = grpc.aio.server(), Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield collector, f"http://127.0.0.1:{port}"
    await server.stop(None)


async def test_one_trace_leads_from_the_caller_to_the_services(
    tmp_path: Path, collector: tuple[Collector, str]
) -> None:
    spans, endpoint = collector
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    services = FakeServices(tmp_path / "services", f"file://{tmp_path}/store", environment)
    gateway = Gateway(tmp_path / "gateway", services)
    gateway.log = tmp_path / "log"
    gateway.start()
    async with gateway.api() as api:
        request = pb.CreateJobRequest(video=await api.video(), settings=pb.JobSettings(variants=1))
        created = await api.stub.CreateJob(request, metadata=(("traceparent", PARENT),))
        job = await api.finished(created.job.job_id)
    assert job.state == pb.STATE_SUCCEEDED
    # In threads: the collector, which runs in this loop, must be able to take their last spans.
    await asyncio.to_thread(gateway.stop)
    await asyncio.to_thread(services.close)
    async with asyncio.timeout(10):
        while not any(span.name == "job" for _, span in spans.spans):
            await asyncio.sleep(0.05)
    mine = [span for _, span in spans.spans if span.trace_id.hex() == TRACE]
    by_id = {span.span_id: span for span in mine}

    def ancestors(span: Span) -> list[str]:
        """Names from the span up to the caller's own."""
        above = by_id.get(span.parent_span_id)
        return [span.name.rpartition("/")[2], *(ancestors(above) if above else [])]

    assert ancestors(spans.named("/Mix")) == ["Mix", "stage_mix", "job", "CreateJob"]
    assert ancestors(spans.named("/Analyze")) == ["Analyze", "stage_analyze", "job", "CreateJob"]
    assert spans.named("/CreateJob").parent_span_id.hex() == "00f067aa0ba902b7"
    assert {attribute.value.string_value for attribute in spans.named("job").attributes} == {job.job_id}
    assert not [span.name for _, span in spans.spans if "grpc.health" in span.name]
    assert "etbgm-gateway" in {service for service, _ in spans.spans}
    logged = [json.loads(line) for line in gateway.log.read_text().splitlines()]
    assert TRACE in {line.get("trace_id") for line in logged if line["message"] == "audit"}


@pytest.fixture
def locked(tmp_path: Path, services: FakeServices) -> Iterator[Gateway]:
    """A gateway with keys, whose log is a file."""
    gateway = Gateway(tmp_path, services, key_file=str(tmp_path / "key"))
    gateway.log = tmp_path / "log"
    yield gateway.start()
    gateway.kill()


async def test_changes_and_refused_attempts_are_in_the_audit_log(locked: Gateway) -> None:
    async with AsyncClient(locked.address, (locked.folder / "key").read_text().strip()) as admin:
        created = await admin.keys.create("alice", ("jobs:read",), "for a test")
    async with AsyncClient(locked.address, created.text) as alice:
        for call in (alice.cancel_job("00000000-0000-0000-0000-000000000000"), alice.list_jobs()):
            await asyncio.gather(call, return_exceptions=True)
    assert locked.log
    lines = [json.loads(line) for line in locked.log.read_text().splitlines()]
    audit = [{**line} for line in lines if line["message"] == "audit"]
    assert [(line["method"], line["outcome"], line["caller_tenant"]) for line in audit] == [
        ("CreateKey", "OK", "default"),
        ("CancelJob", "SCOPE_MISSING", "alice"),
    ]
    assert audit[0]["tenant"] == "alice" and audit[0]["key_id"] == created.key.key_id
    assert audit[1]["caller"] == created.key.key_id and audit[1]["job_id"].startswith("00000000")
    assert created.text not in locked.log.read_text()
