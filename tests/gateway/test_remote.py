"""Calls to services: choice of the replica, retries, deadlines, cancelling."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm_gateway import replicas
from etbgm_gateway.discovery.static import Static
from etbgm_gateway.discovery.types import Discovery
from etbgm_gateway.remote import Remote
from etbgm_gateway.replicas import Replicas
from etbgm_kit.errors import Busy, InvalidField, NotReady
from etbgm_kit.interceptor import ErrorInterceptor
from etbgm_kit.status import RemoteError
from tests.gateway.conftest import FakeServices
from tests.servers import free_port

RETRY_AFTER_S = 0.3


class FakeMixer(mixer_pb2_grpc.MixerServiceServicer):
    """Raises `errors` in turn, then answers after `hold_s`; knows one method."""

    Probe = Extract = Mix = None  # type: ignore[assignment]

    def __init__(self, name: str, errors: list[Exception], hold_s: float) -> None:
        self.name, self.errors, self.hold_s = name, errors, hold_s
        self.calls, self.inside, self.most_inside, self.cancelled = 0, 0, 0, asyncio.Event()

    async def Separate(
        self, request: mixer_pb2.SeparateRequest, context: object
    ) -> AsyncIterator[mixer_pb2.SeparateResponse]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            yield mixer_pb2.SeparateResponse(progress=media_pb2.Progress(fraction=0.5))
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
    discovery: Discovery, calls_per_replica: int = 4, wait_s: float | None = None
) -> AsyncIterator[Remote[Any]]:
    """A client of the servers that `discovery` tells of."""
    remote = Remote(Replicas(discovery, mixer_pb2_grpc.MixerServiceStub), calls_per_replica, wait_s)
    await remote.find()
    try:
        yield remote
    finally:
        await remote.close()


@asynccontextmanager
async def remote_of(
    *replicas: list[Exception], hold_s: float = 0.0, calls_per_replica: int = 4
) -> AsyncIterator[tuple[Remote[Any], list[FakeMixer]]]:
    """A client of as many servers as there are lists of errors."""
    fakes = [FakeMixer(str(i), errors, hold_s) for i, errors in enumerate(replicas)]
    async with (
        servers_of(*fakes) as addresses,
        remote_to(Static(",".join(addresses)), calls_per_replica) as remote,
    ):
        yield remote, fakes


async def separate(remote: Remote[Any], deadline_s: float = 10.0) -> str:
    """The name of the server that answered."""
    result = await remote.stream(
        lambda stub: stub.Separate,
        mixer_pb2.SeparateRequest(),
        mixer_pb2.SeparateResult,
        deadline_s,
        lambda _: None,
    )
    return str(result.notes[0])


async def test_calls_go_to_the_replica_with_the_fewest_in_flight() -> None:
    async with remote_of([], [], [], hold_s=0.2) as (remote, fakes):
        await asyncio.gather(*(separate(remote) for _ in range(6)))
    assert [fake.calls for fake in fakes] == [2, 2, 2]


async def test_a_refused_call_goes_to_another_replica_at_once() -> None:
    async with remote_of([Busy(60)], [NotReady()], []) as (remote, fakes):
        started = time.monotonic()
        answers = [await separate(remote) for _ in range(6)]
    assert time.monotonic() - started < 30
    assert len(answers) == 6
    assert sum(fake.calls for fake in fakes) <= 8


async def test_when_all_refuse_the_call_waits_as_long_as_it_is_asked_to() -> None:
    async with remote_of([Busy(RETRY_AFTER_S)]) as (remote, fakes):
        started = time.monotonic()
        await separate(remote)
    assert time.monotonic() - started >= RETRY_AFTER_S
    assert fakes[0].calls == 2


async def test_bad_input_is_not_retried() -> None:
    async with remote_of([InvalidField("audio", "is empty")]) as (remote, fakes):
        with pytest.raises(RemoteError, match="is empty") as caught:
            await separate(remote)
    assert (caught.value.status_code, fakes[0].calls) == ("INVALID_ARGUMENT", 1)


async def test_the_last_error_is_raised_at_the_deadline() -> None:
    async with remote_of([NotReady()] * 100) as (remote, _):
        started = time.monotonic()
        with pytest.raises(RemoteError) as caught:
            await separate(remote, deadline_s=0.6)
    assert caught.value.status_code == "UNAVAILABLE"
    assert time.monotonic() - started < 5


async def test_a_call_that_takes_too_long_is_cancelled_at_the_deadline() -> None:
    async with remote_of([], hold_s=30) as (remote, fakes):
        with pytest.raises(RemoteError) as caught:
            await separate(remote, deadline_s=0.3)
        await asyncio.wait_for(fakes[0].cancelled.wait(), 10)
    assert caught.value.status_code == "DEADLINE_EXCEEDED"


async def test_cancelling_the_task_cancels_the_call() -> None:
    async with remote_of([], hold_s=30) as (remote, fakes):
        task = asyncio.create_task(separate(remote))
        while not fakes[0].inside:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait_for(fakes[0].cancelled.wait(), 10)
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_calls_beyond_the_places_wait_here() -> None:
    async with remote_of([], hold_s=0.05, calls_per_replica=2) as (remote, fakes):
        await asyncio.gather(*(separate(remote) for _ in range(7)))
    assert (fakes[0].calls, fakes[0].most_inside) == (7, 2)


async def test_a_server_that_comes_late_is_found() -> None:
    # gRPC's servers share their ports (SO_REUSEPORT): one that is not closed yet would swallow calls.
    address, fake = f"127.0.0.1:{free_port()}", FakeMixer("late", [], 0.0)
    async with remote_to(Static(address), 1) as remote:
        task = asyncio.create_task(separate(remote))
        await asyncio.sleep(0.5)
        server = grpc.aio.server()
        mixer_pb2_grpc.add_MixerServiceServicer_to_server(fake, server)
        server.add_insecure_port(address)
        await server.start()
        try:
            assert await task == "late"
        finally:
            await server.stop(None)


async def until_inside(calls: dict[FakeMixer, int]) -> None:
    async with asyncio.timeout(10):
        while any(fake.inside != number for fake, number in calls.items()):
            await asyncio.sleep(0.005)


async def test_places_follow_the_replicas() -> None:
    one, other = FakeMixer("one", [], 1.0), FakeMixer("other", [], 1.0)
    async with servers_of(one, other) as addresses:
        discovery = FakeDiscovery(addresses[0])
        async with remote_to(discovery, calls_per_replica=2) as remote:
            tasks = [asyncio.create_task(separate(remote)) for _ in range(9)]
            await until_inside({one: 2, other: 0})
            discovery.tell(*addresses)
            await until_inside({one: 2, other: 2})
            discovery.tell(addresses[0])
            answers = await asyncio.gather(*tasks)
    assert (one.most_inside, other.most_inside) == (2, 2)
    assert (answers.count("one"), answers.count("other"), one.calls + other.calls) == (7, 2, 9)


async def test_a_replica_that_is_leaving_holds_no_place_of_those_that_stay() -> None:
    leaving, staying = FakeMixer("leaving", [], 60.0), FakeMixer("staying", [], 0.0)
    async with servers_of(leaving, staying) as addresses:
        discovery = FakeDiscovery(addresses[0])
        async with remote_to(discovery, calls_per_replica=1) as remote:
            lasting = asyncio.create_task(separate(remote))
            await until_inside({leaving: 1})
            waiting = asyncio.create_task(separate(remote))
            discovery.tell(addresses[1])
            async with asyncio.timeout(10):
                assert await waiting == "staying"
            assert not lasting.done()
            lasting.cancel()


async def test_the_time_in_the_queue_is_not_the_call_s_own() -> None:
    async with remote_of([], hold_s=0.6, calls_per_replica=1) as (remote, fakes):
        answers = await asyncio.gather(*(separate(remote, deadline_s=1.0) for _ in range(4)))
    assert (len(answers), fakes[0].calls, fakes[0].most_inside) == (4, 4, 1)


async def test_refusals_are_waited_for_beyond_the_deadline() -> None:
    async with remote_of([Busy(0.3)] * 6) as (remote, fakes):
        assert await separate(remote, deadline_s=1.0)
    assert fakes[0].calls == 7


async def test_a_call_in_flight_to_a_replica_that_is_taken_away_ends_well() -> None:
    leaving, staying = FakeMixer("leaving", [], 0.5), FakeMixer("staying", [], 0.0)
    async with servers_of(leaving, staying) as addresses:
        discovery = FakeDiscovery(addresses[0])
        async with remote_to(discovery) as remote:
            task = asyncio.create_task(separate(remote))
            await until_inside({leaving: 1})
            discovery.tell(addresses[1])
            await asyncio.sleep(0)
            assert [await separate(remote) for _ in range(4)] == ["staying"] * 4
            assert await task == "leaving"
    assert leaving.calls == 1


async def test_calls_wait_while_there_is_no_replica() -> None:
    fake = FakeMixer("first", [], 0.0)
    async with servers_of(fake) as addresses:
        discovery = FakeDiscovery()
        async with remote_to(discovery) as remote:
            tasks = [asyncio.create_task(separate(remote, deadline_s=2.0)) for _ in range(3)]
            await asyncio.sleep(2.5)
            assert not any(task.done() for task in tasks)
            discovery.tell(*addresses)
            assert await asyncio.gather(*tasks) == ["first"] * 3


async def test_calls_do_not_wait_for_ever_for_a_replica() -> None:
    async with remote_to(FakeDiscovery(), wait_s=0.1) as remote:
        with pytest.raises(RemoteError, match="no replica came") as caught:
            await separate(remote)
    assert caught.value.status_code == "UNAVAILABLE"


async def test_a_call_to_a_machine_that_vanished_goes_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings = {"grpc.keepalive_time_ms": 1000, "grpc.keepalive_timeout_ms": 1000}
    monkeypatch.setattr(replicas, "_OPTIONS", tuple({**dict(replicas._OPTIONS), **pings}.items()))
    frozen = FakeServices(tmp_path, f"file://{tmp_path}/store", {}, "mixer")
    alive = FakeMixer("alive", [], 0.0)
    try:
        async with servers_of(alive) as addresses:
            discovery = FakeDiscovery(frozen.addresses["mixer_address"])
            async with remote_to(discovery) as remote:
                frozen.pause()
                task = asyncio.create_task(separate(remote, deadline_s=60.0))
                await asyncio.sleep(0.5)
                discovery.tell(*addresses)
                assert await asyncio.wait_for(task, 20) == "alive"
    finally:
        frozen.kill()
