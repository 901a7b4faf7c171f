"""Servers whose work hangs in a native call, and clients that freeze."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_kit.serving import runner as runners
from etbgm_kit.serving import watchdog
from etbgm_kit.serving.interceptor import Context
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Server, Service
from etbgm_kit.serving.settings import ServiceSettings

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
METHOD = "/etbgm.mixer.v1.MixerService/Separate"


class Mixer(mixer_pb2_grpc.MixerServiceServicer):
    """Its work hangs, as in a native call, until `free` is set; `left` is set when its handler has ended."""

    def __init__(self) -> None:
        self.runner = Runner(slots=1, waiting=0)
        self.started, self.free, self.left = threading.Event(), threading.Event(), asyncio.Event()

    async def Separate(
        self, request: mixer_pb2.SeparateRequest, context: Context
    ) -> AsyncIterator[mixer_pb2.SeparateResponse]:
        def work(_: Callable[[float], None]) -> None:
            self.started.set()
            self.free.wait(60)

        try:
            async for _ in self.runner.run(work):
                pass
        finally:
            self.left.set()
        yield mixer_pb2.SeparateResponse(result=mixer_pb2.SeparateResult())


@asynccontextmanager
async def serving(mixer: Mixer, beside: bool = False, **settings: float) -> AsyncIterator[grpc.aio.Channel]:
    def add(server: grpc.aio.Server) -> None:
        mixer_pb2_grpc.add_MixerServiceServicer_to_server(mixer, server)

    whole = ServiceSettings(
        store_url="file:///unused",
        listen_address="127.0.0.1:0",
        drain_s=0,
        **settings,  # type: ignore[arg-type]
    )
    name = "etbgm.mixer.v1.MixerService"
    runners = (Runner(1, 0), mixer.runner) if beside else (mixer.runner,)
    server = Server(Service("mixer", name, whole, runners[0], add, other_runners=runners[1:]))
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield channel
    finally:
        mixer.free.set()
        await server.stop(notice_s=0)


async def until(channel: grpc.aio.Channel, status: int) -> None:
    """Waits until the server says so of "" and of `live`."""
    check = health_pb2_grpc.HealthStub(channel).Check
    async with asyncio.timeout(20):
        for name in ("", "live"):
            while (await check(health_pb2.HealthCheckRequest(service=name))).status != status:
                await asyncio.sleep(0.02)


def separate(channel: grpc.aio.Channel, timeout: float | None) -> "grpc.aio.UnaryStreamCall":
    stub = mixer_pb2_grpc.MixerServiceStub(channel)
    return stub.Separate(mixer_pb2.SeparateRequest(), timeout=timeout)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_EVERY_S", 0.05)


async def test_work_that_hangs_beyond_its_call_s_deadline_is_not_alive(
    caplog: pytest.LogCaptureFixture,
) -> None:
    mixer = Mixer()
    with caplog.at_level(logging.INFO, logger="etbgm_kit"):
        async with serving(mixer, work_grace_s=0.2) as channel:
            call = separate(channel, timeout=0.3)
            await until(channel, SERVING)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
            assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            await until(channel, NOT_SERVING)
            mixer.free.set()
            await until(channel, SERVING)
    (hung,) = (record for record in caplog.records if record.message == "work hangs")
    assert hung.__dict__["method"] == METHOD
    assert 0.5 <= hung.__dict__["seconds"] < 20


@pytest.mark.parametrize("beside", [False, True])
async def test_work_of_a_call_without_a_deadline_may_take_as_long_as_the_setting_says(beside: bool) -> None:
    mixer = Mixer()
    async with serving(mixer, beside, work_limit_s=0.2, work_grace_s=0.0) as channel:
        call = separate(channel, timeout=None)
        await until(channel, NOT_SERVING)
        mixer.free.set()
        assert (await call.read()).HasField("result")
        await until(channel, SERVING)


async def test_the_handler_of_a_cancelled_call_does_not_wait_for_work_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runners, "WORK_END_S", 0.1)
    mixer = Mixer()
    async with serving(mixer) as channel:
        call = separate(channel, timeout=None)
        assert await asyncio.to_thread(mixer.started.wait, 10)
        call.cancel()
        await asyncio.wait_for(mixer.left.wait(), 10)
        # The slot is not free before the work has ended.
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await separate(channel, timeout=10).read()
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        mixer.free.set()
        async with asyncio.timeout(10):
            while mixer.runner.inside:
                await asyncio.sleep(0.01)
        assert (await separate(channel, timeout=10).read()).HasField("result")
