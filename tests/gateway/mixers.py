"""Fake mixers behind real gRPC servers in this process, and clients of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc

from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_gateway.upstream.discovery.static import Static
from etbgm_gateway.upstream.discovery.types import Discovery
from etbgm_gateway.upstream.remote import OnWait, RemoteService, Waits
from etbgm_gateway.upstream.replicas import Replicas
from etbgm_kit.errors import ServerStopping
from etbgm_kit.serving.interceptor import Context, ErrorInterceptor


class FakeMixer(mixer_pb2_grpc.MixerServiceServicer):
    """Raises `errors` in turn, ServerStopping after its first word, then answers after `hold_s`."""

    Extract = Mix = None  # type: ignore[assignment]

    def __init__(self, name: str, errors: list[Exception], hold_s: float) -> None:
        self.name, self.errors, self.hold_s = name, errors, hold_s
        self.calls, self.inside, self.most_inside, self.cancelled = 0, 0, 0, asyncio.Event()

    async def Probe(self, request: mixer_pb2.ProbeRequest, context: Context) -> mixer_pb2.ProbeResponse:
        """After its errors an end that no interceptor has described."""
        if self.errors:
            raise self.errors.pop(0)
        await context.abort(grpc.StatusCode.UNKNOWN, "lost ipv4:10.0.0.1:8431")
        raise AssertionError("abort raises")

    async def Separate(
        self, request: mixer_pb2.SeparateRequest, context: object
    ) -> AsyncIterator[mixer_pb2.SeparateResponse]:
        self.calls += 1
        if self.errors and not isinstance(self.errors[0], ServerStopping):
            raise self.errors.pop(0)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            yield mixer_pb2.SeparateResponse(progress=media_pb2.Progress(fraction=0.5))
            if self.errors:
                raise self.errors.pop(0)
            await asyncio.sleep(self.hold_s)
            yield mixer_pb2.SeparateResponse(result=mixer_pb2.SeparateResult(notes=[self.name]))
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.inside -= 1


class FakeDiscovery:
    """Tells what it is told."""

    def __init__(self, *addresses: str) -> None:
        self._changes: asyncio.Queue[frozenset[str]] = asyncio.Queue()
        self.tell(*addresses)

    def tell(self, *addresses: str) -> None:
        self._changes.put_nowait(frozenset(addresses))

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        while True:
            yield await self._changes.get()


@asynccontextmanager
async def servers_of(*fakes: FakeMixer) -> AsyncIterator[list[str]]:
    """Their addresses."""
    async with AsyncExitStack() as stack:
        addresses = []
        for fake in fakes:
            server = grpc.aio.server(interceptors=[ErrorInterceptor()])
            mixer_pb2_grpc.add_MixerServiceServicer_to_server(fake, server)
            addresses.append(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
            await server.start()
            stack.push_async_callback(server.stop, None)
        yield addresses


@asynccontextmanager
async def remote_to(
    discovery: Discovery, calls_per_replica: int = 4, wait_s: float = 60.0, queue_s: float = 60.0
) -> AsyncIterator[RemoteService[Any]]:
    """A client of the servers that `discovery` tells of."""
    replicas = Replicas(discovery, mixer_pb2_grpc.MixerServiceStub)
    remote = RemoteService("mixer", replicas, Waits(calls_per_replica, wait_s, queue_s))
    await remote.find()
    try:
        yield remote
    finally:
        await remote.close()


@asynccontextmanager
async def remote_of(
    *replicas: list[Exception], hold_s: float = 0.0, calls_per_replica: int = 4, queue_s: float = 60.0
) -> AsyncIterator[tuple[RemoteService[Any], list[FakeMixer]]]:
    """A client of as many servers as there are lists of errors."""
    fakes = [FakeMixer(str(i), errors, hold_s) for i, errors in enumerate(replicas)]
    async with (
        servers_of(*fakes) as addresses,
        remote_to(Static(",".join(addresses)), calls_per_replica, queue_s=queue_s) as remote,
    ):
        yield remote, fakes


async def separate(
    remote: RemoteService[Any], deadline_s: float = 10.0, on_wait: OnWait = lambda _: None
) -> str:
    """The name of the server that answered."""
    result = await remote.stream(
        "Separate",
        mixer_pb2.SeparateRequest(),
        mixer_pb2.SeparateResult,
        deadline_s,
        lambda _: None,
        on_wait,
    )
    return str(result.notes[0])


async def until_inside(calls: dict[FakeMixer, int]) -> None:
    async with asyncio.timeout(10):
        while any(fake.inside != number for fake, number in calls.items()):
            await asyncio.sleep(0.005)
