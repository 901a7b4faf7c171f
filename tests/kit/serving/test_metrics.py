"""What Prometheus is told of a server's calls."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import grpc
import pytest

from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import InvalidField
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Service
from etbgm_kit.serving.settings import ServiceSettings
from tests.prometheus import scrape
from tests.servers import channel_to, free_port

SEPARATE = "/etbgm.mixer.v1.MixerService/Separate"


class FakeMixer(mixer_pb2_grpc.MixerServiceServicer):
    """Separates once it is `released`; knows no sound named "bad"."""

    def __init__(self, calls: Calls) -> None:
        self._calls, self.released = calls, threading.Event()

    async def Separate(
        self, request: mixer_pb2.SeparateRequest, context: object
    ) -> AsyncIterator[mixer_pb2.SeparateResponse]:
        def work(report: Callable[[float], None]) -> mixer_pb2.SeparateResult:
            while not self.released.wait(0.01):
                report(0.5)
            if request.audio.uri == "bad":
                raise InvalidField("audio", "is bad")
            return mixer_pb2.SeparateResult(notes=["done"])

        async for response in self._calls.stream(request, mixer_pb2.SeparateResponse, work):
            yield response


async def test_calls_and_their_times_are_told(store: ArtifactStore) -> None:
    port, runner = free_port(), Runner(slots=1, waiting=1)
    fake = FakeMixer(Calls(runner, Memo(store), lambda: "r1"))
    settings = ServiceSettings(store_url="file:///unused", listen_address="127.0.0.1:0", metrics_port=port)
    service = Service(
        "mixer",
        "etbgm.mixer.v1.MixerService",
        settings,
        runner,
        lambda server: mixer_pb2_grpc.add_MixerServiceServicer_to_server(fake, server),
    )
    async with channel_to(service) as channel:
        stub = mixer_pb2_grpc.MixerServiceStub(channel)

        async def ask(name: str) -> None:
            async for _ in stub.Separate(mixer_pb2.SeparateRequest(audio={"uri": name})):
                pass

        running = []
        for taken in (1, 2):
            running.append(asyncio.create_task(ask(f"good {taken}")))
            while runner.inside < taken:
                await asyncio.sleep(0.01)
        with pytest.raises(grpc.aio.AioRpcError):
            await ask("late")
        busy = await scrape(port)
        fake.released.set()
        await asyncio.gather(*running)
        await ask("good 1")
        with pytest.raises(grpc.aio.AioRpcError):
            await ask("bad")
        fake.released.clear()
        left = stub.Separate(mixer_pb2.SeparateRequest(audio={"uri": "left"}))
        await left.read()
        left.cancel()
        async with asyncio.timeout(10):
            while ("etbgm_calls_total", "CANCELLED", SEPARATE) not in await scrape(port):
                await asyncio.sleep(0.02)
        ended = await scrape(port)
    assert (busy["etbgm_slots",], busy["etbgm_slots_taken",], busy["etbgm_calls_waiting",]) == (1, 1, 1)
    assert busy["etbgm_calls_in_flight", SEPARATE] == 2
    assert busy["etbgm_calls_total", "RESOURCE_EXHAUSTED", SEPARATE] == 1
    assert ended["etbgm_calls_in_flight", SEPARATE] == 0
    codes = {labels[1]: value for labels, value in ended.items() if labels[0] == "etbgm_calls_total"}
    assert sum(codes.values()) == ended["etbgm_call_seconds_count", SEPARATE] == 6
    assert codes == {"OK": 3, "INVALID_ARGUMENT": 1, "RESOURCE_EXHAUSTED": 1, "CANCELLED": 1}
    assert ended["etbgm_found_total", SEPARATE] == 1
    assert ended["etbgm_inference_seconds_count", SEPARATE] == 2
    assert ended["etbgm_inference_seconds_sum", SEPARATE] > 0
    assert not any("Health" in label for labels in ended for label in labels)
