"""Replicas that come, go and vanish while calls are on their way."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from etbgm.mixer.v1 import mixer_pb2_grpc
from etbgm_gateway.upstream import replicas
from etbgm_gateway.upstream.discovery.static import Static
from etbgm_gateway.upstream.discovery.types import Discovery
from etbgm_gateway.upstream.errors import ServiceUnavailable
from tests.faults import faulty_network
from tests.gateway.conftest import FakeServices
from tests.gateway.mixers import (
    FakeDiscovery,
    FakeMixer,
    remote_to,
    separate,
    servers_of,
    until_inside,
)
from tests.servers import free_port

pytestmark = pytest.mark.process


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


NOWHERE: dict[str, Callable[[], Discovery]] = {
    "no endpoints": FakeDiscovery,
    "connection refused": lambda: Static(f"127.0.0.1:{free_port()}"),
}


@pytest.mark.parametrize("nowhere", NOWHERE.values(), ids=NOWHERE)
async def test_a_service_that_stays_away_is_given_up(
    nowhere: Callable[[], Discovery],
) -> None:
    told: list[bool] = []
    async with remote_to(nowhere(), calls_per_replica=1, wait_s=1.0) as remote:
        # The second has no place to wait at and learns the same.
        calls = [asyncio.create_task(separate(remote, on_wait=told.append)) for _ in range(2)]
        async with asyncio.timeout(10):
            while told != [True, True]:
                await asyncio.sleep(0.01)
            failures = await asyncio.gather(*calls, return_exceptions=True)
    for failure in failures:
        assert isinstance(failure, ServiceUnavailable)
        assert (failure.code, failure.reason) == ("UNAVAILABLE", "SERVICE_UNAVAILABLE")
        assert failure.facts == {"service": "mixer"}
        assert failure.message == "the mixer service had no replica that takes calls for 1 s"
    assert told == [True, True, False, False]


async def test_a_replica_that_comes_ends_the_wait() -> None:
    told: list[bool] = []
    discovery = FakeDiscovery()
    async with servers_of(FakeMixer("first", [], 1.0)) as addresses, remote_to(discovery) as remote:
        call = asyncio.create_task(separate(remote, on_wait=told.append))
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.01)
            discovery.tell(*addresses)
            assert await call == "first"
    assert told == [True, False]


async def test_a_call_on_a_connection_that_died_without_a_word_goes_to_another_replica(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("grpc.keepalive_time_ms", "grpc.keepalive_timeout_ms", "grpc.http2.ping_timeout_ms")
    options = {**dict(replicas._OPTIONS), **dict.fromkeys(names, 500)}
    monkeypatch.setattr(replicas, "_OPTIONS", tuple(options.items()))
    vanishing, staying = FakeMixer("vanishing", [], 60.0), FakeMixer("staying", [], 0.0)
    async with servers_of(vanishing, staying) as addresses, faulty_network(addresses[0]) as network:
        discovery = FakeDiscovery(network.address)
        async with remote_to(discovery) as remote:
            task = asyncio.create_task(separate(remote, deadline_s=60.0))
            await until_inside({vanishing: 1})
            network.blackhole()
            discovery.tell(network.address, addresses[1])
            assert await asyncio.wait_for(task, 10) == "staying"


async def test_a_call_to_a_machine_that_vanished_goes_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("grpc.keepalive_time_ms", "grpc.keepalive_timeout_ms", "grpc.http2.ping_timeout_ms")
    pings = dict.fromkeys(names, 1000)
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
