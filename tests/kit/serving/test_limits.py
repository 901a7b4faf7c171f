"""Calls that say how long they wait for a slot."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import grpc
import pytest

from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_kit.serving.interceptor import Context
from etbgm_kit.serving.limits import SLOT_WAIT_HEADER as HEADER
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Server, Service
from etbgm_kit.serving.settings import ServiceSettings


class Mixer(mixer_pb2_grpc.MixerServiceServicer):
    """Separates until `free` is set."""

    def __init__(self) -> None:
        self.runner, self.free = Runner(slots=1, waiting=4), threading.Event()

    async def Separate(
        self, request: mixer_pb2.SeparateRequest, context: Context
    ) -> AsyncIterator[mixer_pb2.SeparateResponse]:
        def work(_: Callable[[float], None]) -> None:
            self.free.wait(30)

        async for _ in self.runner.run(work):
            pass
        yield mixer_pb2.SeparateResponse(result=mixer_pb2.SeparateResult())


@pytest.fixture
async def busy() -> AsyncIterator[tuple[Mixer, "mixer_pb2_grpc.MixerServiceAsyncStub"]]:
    """A server whose one slot is taken, and its stub."""
    mixer = Mixer()
    settings = ServiceSettings(store_url="file:///unused", listen_address="127.0.0.1:0", drain_s=0)

    def add(server: grpc.aio.Server) -> None:
        mixer_pb2_grpc.add_MixerServiceServicer_to_server(mixer, server)

    server = Server(Service("mixer", "etbgm.mixer.v1.MixerService", settings, mixer.runner, add))
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub: mixer_pb2_grpc.MixerServiceAsyncStub = mixer_pb2_grpc.MixerServiceStub(channel)
        first = stub.Separate(mixer_pb2.SeparateRequest())
        while mixer.runner.inside < 1:
            await asyncio.sleep(0.005)
        yield mixer, stub
        mixer.free.set()
        assert (await first.read()).HasField("result")
    await server.stop(0)


@pytest.mark.parametrize("seconds", ["0", "0.2"])
async def test_a_call_is_refused_when_its_time_to_wait_ends(
    busy: tuple[Mixer, "mixer_pb2_grpc.MixerServiceAsyncStub"], seconds: str
) -> None:
    mixer, stub = busy
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.Separate(mixer_pb2.SeparateRequest(), metadata=((HEADER, seconds),)).read()
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert mixer.runner.inside == 1


@pytest.mark.parametrize("metadata", [None, ((HEADER, "30"),)])
async def test_a_patient_call_has_its_turn(
    busy: tuple[Mixer, "mixer_pb2_grpc.MixerServiceAsyncStub"], metadata: tuple[tuple[str, str]] | None
) -> None:
    mixer, stub = busy
    call = stub.Separate(mixer_pb2.SeparateRequest(), metadata=metadata)
    while mixer.runner.inside < 2:
        await asyncio.sleep(0.005)
    mixer.free.set()
    assert (await call.read()).HasField("result")


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "long"])
async def test_what_is_no_time_is_an_error_of_the_header(
    busy: tuple[Mixer, "mixer_pb2_grpc.MixerServiceAsyncStub"], text: str
) -> None:
    _, stub = busy
    with pytest.raises(grpc.aio.AioRpcError, match="etbgm-slot-wait-s: must be a number") as error:
        await stub.Separate(mixer_pb2.SeparateRequest(), metadata=((HEADER, text),)).read()
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
