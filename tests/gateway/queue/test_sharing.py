"""Two gateways that know nothing of each other call the same servers."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import grpc

from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_gateway.upstream.discovery.static import Static
from etbgm_gateway.upstream.remote import RemoteService, Waits
from etbgm_gateway.upstream.replicas import Replicas
from etbgm_kit.serving.interceptor import Context
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Server, Service
from etbgm_kit.serving.settings import ServiceSettings

SOON_S = 20.0


class FakeMixer(mixer_pb2_grpc.MixerServiceServicer):
    """Separates for 50 ms, or while `held` is set; `ended` has who asked, in the order of the answers."""

    def __init__(self, runner: Runner) -> None:
        self.runner, self.ended = runner, list[str]()
        self.held = threading.Event()

    async def Separate(
        self, request: mixer_pb2.SeparateRequest, context: Context
    ) -> AsyncIterator[mixer_pb2.SeparateResponse]:
        def work(_: Callable[[float], None]) -> None:
            while not threading.Event().wait(0.05) and self.held.is_set():
                pass

        async for _ in self.runner.run(work):
            pass
        self.ended.append(request.audio.uri)
        yield mixer_pb2.SeparateResponse(result=mixer_pb2.SeparateResult())


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[str, FakeMixer]]:
    """A server as in a cluster with two gateways: one slot, one place to wait."""
    runner = Runner(slots=1, waiting=1)
    fake = FakeMixer(runner)
    settings = ServiceSettings(store_url="file:///unused", listen_address="127.0.0.1:0", drain_s=0)

    def add(server: grpc.aio.Server) -> None:
        mixer_pb2_grpc.add_MixerServiceServicer_to_server(fake, server)

    server = Server(Service("mixer", "etbgm.mixer.v1.MixerService", settings, runner, add))
    await server.start()
    try:
        yield f"127.0.0.1:{server.port}", fake
    finally:
        await server.stop(0)


class Caller:
    """A gateway's client of the service, one call at a replica at a time."""

    def __init__(self, *addresses: str) -> None:
        replicas = Replicas(Static(",".join(addresses)), mixer_pb2_grpc.MixerServiceStub)
        self.remote = RemoteService("mixer", replicas, Waits(1, replica_s=60.0, queue_s=60.0))

    async def separate(self, name: str) -> None:
        request = mixer_pb2.SeparateRequest()
        request.audio.uri = name
        await self.remote.stream("Separate", request, mixer_pb2.SeparateResult, 5.0, lambda _: None)


async def callers(stack: AsyncExitStack, *addresses: str) -> tuple[Caller, Caller]:
    made = Caller(*addresses), Caller(*addresses)
    for caller in made:
        stack.push_async_callback(caller.remote.close)
        await caller.remote.find()
    return made


async def test_a_gateway_with_many_calls_leaves_room_for_one_with_few() -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(SOON_S):
        address, fake = await stack.enter_async_context(serving())
        many, few = await callers(stack, address)
        tasks = [asyncio.create_task(many.separate("many")) for _ in range(30)]
        while not fake.ended:
            await asyncio.sleep(0.005)
        before = len(fake.ended)
        await few.separate("few")
        assert fake.ended.index("few") - before <= 2
        await asyncio.gather(*tasks)


async def test_a_call_does_not_wait_at_a_busy_replica_while_another_is_idle() -> None:
    async with AsyncExitStack() as stack, asyncio.timeout(SOON_S):
        servers = [await stack.enter_async_context(serving()) for _ in range(3)]
        one, other = await callers(stack, *(address for address, _ in servers))
        fakes = [fake for _, fake in servers]
        for fake in fakes:
            fake.held.set()
        lasting = [asyncio.create_task(one.separate("lasting")) for _ in range(2)]
        while sum(fake.runner.inside for fake in fakes) < 2:
            await asyncio.sleep(0.005)
        (idle,) = [fake for fake in fakes if not fake.runner.inside]
        idle.held.clear()
        for _ in range(5):
            await other.separate("quick")
        assert idle.ended == ["quick"] * 5
        for fake in fakes:
            fake.held.clear()
        await asyncio.gather(*lasting)
