"""Slots, progress, cancel and memory of computed results, through real gRPC."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import CallCancelled, InvalidField
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Server, Service
from etbgm_kit.serving.settings import ServiceSettings
from etbgm_kit.serving.status import RemoteError, error_from_rpc, status_of

Work = Callable[[Callable[[float], None]], mixer_pb2.SeparateResult]


class FakeMixer(mixer_pb2_grpc.MixerServiceServicer):
    """Answers Separate with whatever work the test gives it."""

    def __init__(self, calls: Calls, work: Work) -> None:
        self._calls, self._work = calls, work

    async def Separate(
        self, request: mixer_pb2.SeparateRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[mixer_pb2.SeparateResponse]:
        async for response in self._calls.stream(request, mixer_pb2.SeparateResponse, self._work):
            yield response


@asynccontextmanager
async def serving(
    store: ArtifactStore,
    work: Work,
    slots: int = 1,
    waiting: int = 0,
    load: Callable[[], None] = lambda: None,
) -> AsyncIterator[grpc.aio.Channel]:
    settings = ServiceSettings(store_url="file:///unused", listen_address="127.0.0.1:0", drain_s=5)
    runner = Runner(slots, waiting)
    servicer = FakeMixer(Calls(runner, Memo(store), lambda: "r1"), work)
    service = Service(
        name="mixer",
        full_name="etbgm.mixer.v1.MixerService",
        settings=settings,
        runner=runner,
        add_to=lambda server: mixer_pb2_grpc.add_MixerServiceServicer_to_server(servicer, server),
        load=load,
    )
    server = Server(service)
    starting = asyncio.create_task(server.start())
    while not server.port:
        await asyncio.sleep(0.01)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        if load.__name__ == "<lambda>":
            await starting
        yield channel
        await starting
    await server.stop(notice_s=0)


def ask(name: str) -> mixer_pb2.SeparateRequest:
    return mixer_pb2.SeparateRequest(audio={"uri": name})


async def collect(channel: grpc.aio.Channel, name: str) -> list[mixer_pb2.SeparateResponse]:
    return [r async for r in mixer_pb2_grpc.MixerServiceStub(channel).Separate(ask(name))]


async def test_progress_rises_and_the_result_is_last(store: ArtifactStore) -> None:
    def work(report: Callable[[float], None]) -> mixer_pb2.SeparateResult:
        for fraction in (0.2, 0.1, 0.6):
            report(fraction)
            time.sleep(0.12)
        return mixer_pb2.SeparateResult(notes=["done"])

    async with serving(store, work) as channel:
        responses = await collect(channel, "a")
    assert [r.progress.fraction for r in responses[:-1]] == [0.2, 0.6]
    assert responses[-1].result.notes == ["done"]
    assert responses[-1].result.timings.inference_duration.ToTimedelta().total_seconds() >= 0.36


async def test_a_second_equal_request_is_found(store: ArtifactStore) -> None:
    calls = []

    def work(_report: Callable[[float], None]) -> mixer_pb2.SeparateResult:
        calls.append(1)
        return mixer_pb2.SeparateResult()

    async with serving(store, work) as channel:
        first, second = [(await collect(channel, "a"))[-1].result for _ in range(2)]
        await collect(channel, "b")
    assert (first.timings.found, second.timings.found, len(calls)) == (False, True, 2)


async def test_advice_is_not_kept_with_the_result(store: ArtifactStore) -> None:
    runner = Runner(1, 0)
    runner.open()
    calls = Calls(runner, Memo(store), lambda: "r1")
    handed_out = []
    for advice in ("First.", "Second."):
        stream = calls.stream(
            ask("a"),
            mixer_pb2.SeparateResponse,
            lambda _: mixer_pb2.SeparateResult(engine={"name": "net"}, notes=["Its own."]),
            lambda result, advice=advice: [f"{advice} {result.engine.name}"],
        )
        handed_out += [list(response.result.engine.advice) async for response in stream]
    assert handed_out == [["First. net"], ["Second. net"]]


async def test_a_result_is_kept_for_the_engine_that_computed_it(store: ArtifactStore) -> None:
    revision = ["with the old adapter"]

    def work(_report: Callable[[float], None]) -> mixer_pb2.SeparateResult:
        used, revision[0] = revision[0], "with the new adapter"  # replaced while the old one computes
        return mixer_pb2.SeparateResult(notes=[used])

    runner = Runner(1, 0)
    runner.open()
    calls = Calls(runner, Memo(store), lambda: revision[0])
    results = []
    for _ in range(2):
        stream = calls.stream(ask("a"), mixer_pb2.SeparateResponse, work)
        results += [list(response.result.notes) async for response in stream]
    assert results == [["with the old adapter"], ["with the new adapter"]]
    revision[0] = "with the old adapter"
    again = [r async for r in calls.stream(ask("a"), mixer_pb2.SeparateResponse, work)]
    assert not again[0].result.timings.found, "what the new adapter made is not given out for the old one"


async def test_revisions_are_computed_beside_the_event_loop(store: ArtifactStore) -> None:
    asked_in = set()

    def revision() -> str:
        asked_in.add(threading.current_thread())
        return "r1"

    runner = Runner(1, 0)
    runner.open()
    calls = Calls(runner, Memo(store), revision)
    await calls.unary(ask("a"), mixer_pb2.SeparateResult, lambda _: mixer_pb2.SeparateResult())
    assert asked_in
    assert threading.current_thread() not in asked_in


async def test_a_full_server_refuses_with_a_time_to_come_back(store: ArtifactStore) -> None:
    started, release = threading.Event(), threading.Event()

    def work(_report: Callable[[float], None]) -> mixer_pb2.SeparateResult:
        started.set()
        release.wait(10)
        return mixer_pb2.SeparateResult()

    async with serving(store, work) as channel:
        first = asyncio.create_task(collect(channel, "a"))
        assert await asyncio.to_thread(started.wait, 10)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await collect(channel, "b")
        release.set()
        await first
    error = error_from_rpc(caught.value)
    assert error.status_code == "RESOURCE_EXHAUSTED"
    assert error.is_transient
    assert error.retry_after_s > 0


async def test_cancelling_a_call_ends_its_work_and_frees_the_slot(store: ArtifactStore) -> None:
    ended = threading.Event()

    def work(report: Callable[[float], None]) -> mixer_pb2.SeparateResult:
        try:
            for i in range(1000):
                report(i / 1000)
                time.sleep(0.01)
        except CallCancelled:
            ended.set()
            raise
        return mixer_pb2.SeparateResult()

    async with serving(store, work) as channel:
        call = mixer_pb2_grpc.MixerServiceStub(channel).Separate(ask("a"))
        await call.read()
        call.cancel()
        assert await asyncio.to_thread(ended.wait, 8)


@pytest.mark.parametrize(
    ("error", "code", "visible"),
    [
        (InvalidField("audio", "is silent"), grpc.StatusCode.INVALID_ARGUMENT, "audio: is silent"),
        (ValueError("secret words"), grpc.StatusCode.INTERNAL, "internal error"),
    ],
)
async def test_errors_reach_the_caller_as_statuses(
    store: ArtifactStore, error: Exception, code: grpc.StatusCode, visible: str
) -> None:
    def work(_report: Callable[[float], None]) -> mixer_pb2.SeparateResult:
        raise error

    async with serving(store, work) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await collect(channel, "a")
    assert caught.value.code() == code
    assert visible in caught.value.details()
    assert "secret" not in caught.value.details()


async def test_a_refusal_that_is_passed_on_is_logged_as_the_caller_sees_it(
    store: ArtifactStore, caplog: pytest.LogCaptureFixture
) -> None:
    def work(_report: Callable[[float], None]) -> mixer_pb2.SeparateResult:
        raise RemoteError(status_of(InvalidField("audio", "is silent")))

    with caplog.at_level("INFO", "etbgm_kit.serving.interceptor"):
        async with serving(store, work) as channel:
            with pytest.raises(grpc.aio.AioRpcError, match="audio: is silent"):
                await collect(channel, "a")
    logged = [(r.code, r.reason) for r in caplog.records if r.message == "call refused"]  # type: ignore[attr-defined]
    assert logged == [("INVALID_ARGUMENT", "INVALID_FIELD")]


async def test_health_follows_the_engine(store: ArtifactStore) -> None:
    loaded = threading.Event()

    def load() -> None:
        loaded.wait(10)

    async with serving(store, lambda _: mixer_pb2.SeparateResult(), load=load) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        status = health_pb2.HealthCheckResponse
        assert (await health.Check(health_pb2.HealthCheckRequest(service="live"))).status == status.SERVING
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == status.NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await collect(channel, "a")
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        loaded.set()
        while (await health.Check(health_pb2.HealthCheckRequest())).status != status.SERVING:
            await asyncio.sleep(0.01)
