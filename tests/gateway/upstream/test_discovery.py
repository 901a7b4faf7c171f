"""Where the replicas are: fixed addresses, and EndpointSlices watched over real HTTP."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from kubernetes.aio.client import Configuration
from pydantic import ValidationError

from etbgm_gateway.settings import Settings
from etbgm_gateway.upstream.discovery import discovery_of, endpoint_slices
from etbgm_gateway.upstream.discovery.endpoint_slices import EndpointSlices
from etbgm_gateway.upstream.discovery.target import Target
from etbgm_gateway.upstream.discovery.types import DiscoveryFailed
from tests.gateway.api_server import CUT, FakeApiServer, api_server, pod

SEEN_S = 10.0
"""Longest time until a change is seen; it is milliseconds, and at most half a second after an error."""


class Seen:
    """What a discovery has told, in order."""

    def __init__(self, changes: AsyncIterator[frozenset[str]]) -> None:
        self.told: list[list[str]] = []
        self._changes = changes

    async def read(self) -> None:
        async for addresses in self._changes:
            self.told.append(sorted(addresses))

    async def until(self, *hosts: str, port: int = 8431) -> None:
        """Waits until exactly these hosts are there."""
        wanted = sorted(f"{host}:{port}" for host in hosts)
        async with asyncio.timeout(SEEN_S):
            while not self.told or self.told[-1] != wanted:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def watching(
    server: FakeApiServer, address: str = "kubernetes://etbgm/riffusion:grpc"
) -> AsyncIterator[Seen]:
    """A discovery that watches `server`, once its watch is open."""
    discovery = EndpointSlices(Target.of(address), Configuration(host=server.url))
    seen = Seen(discovery.watch())
    reading = asyncio.create_task(seen.read())
    try:
        await watched(server)
        yield seen
    finally:
        reading.cancel()
        await asyncio.wait([reading])


async def watched(server: FakeApiServer) -> None:
    async with asyncio.timeout(SEEN_S):
        while not server.watches:
            await asyncio.sleep(0.005)


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with api_server() as server:
        yield server


async def test_fixed_addresses_are_told_once() -> None:
    told = [addresses async for addresses in discovery_of(" a:1, b:2 ,").watch()]
    assert told == [frozenset({"a:1", "b:2"})]


def test_a_service_needs_an_address() -> None:
    with pytest.raises(ValueError, match="at least one address"):
        discovery_of(" , ")


def test_a_wrong_address_is_an_error_of_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stt", "sentiment", "mixer"):
        monkeypatch.setenv(f"ETBGM_{name.upper()}_ADDRESS", f"kubernetes:///{name}:grpc")
    monkeypatch.setenv("ETBGM_RIFFUSION_ADDRESS", "kubernetes:///riffusion")
    with pytest.raises(ValidationError, match="riffusion_address") as caught:
        Settings(store_url="file:///unused")
    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    "address",
    [
        "kubernetes://riffusion:grpc",
        "kubernetes:///riffusion",
        "kubernetes:///Riffusion:1",
        "kubernetes:///a:1,b:2",
    ],
)
def test_an_address_that_names_no_service_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"is not kubernetes://\[namespace\]/service:port"):
        discovery_of(address)


async def test_pods_come_and_go(server: FakeApiServer) -> None:
    server.put("riffusion-a", [pod("10.0.0.1")])
    server.put("mixer-a", [pod("10.9.9.9")])
    async with watching(server) as seen:
        await seen.until("10.0.0.1")
        server.put("riffusion-a", [pod("10.0.0.1"), pod("10.0.0.2")])
        await seen.until("10.0.0.1", "10.0.0.2")
        server.put("mixer-a", [])
        server.put("riffusion-b", [pod("10.0.0.3")])
        await seen.until("10.0.0.1", "10.0.0.2", "10.0.0.3")
        server.delete("riffusion-a")
        await seen.until("10.0.0.3")
        server.put("riffusion-b", [])
        await seen.until()
    assert [kind for kind, _ in server.requests] == ["list", "watch"]
    assert server.requests[1][1]["allowWatchBookmarks"] == "true"


@pytest.mark.parametrize(
    "state", [{"ready": False}, {"ready": True, "serving": False}, {"ready": True, "terminating": True}]
)
async def test_a_pod_that_takes_no_calls_is_left_at_once(
    server: FakeApiServer, state: dict[str, bool]
) -> None:
    server.put("riffusion-a", [pod("10.0.0.1"), pod("10.0.0.2")])
    async with watching(server) as seen:
        server.put("riffusion-a", [pod("10.0.0.1"), pod("10.0.0.2", **state)])
        await seen.until("10.0.0.1")
        server.put("riffusion-a", [pod("10.0.0.1"), {"addresses": ["10.0.0.2"], "conditions": {}}])
        await seen.until("10.0.0.1", "10.0.0.2")


async def test_a_pod_counts_once_at_one_address(server: FakeApiServer) -> None:
    server.put("riffusion-v4", [pod("10.0.0.1", uid="one"), pod("10.0.0.2", uid="two", ready=False)])
    server.put("riffusion-v6", [pod("fd00::1", uid="one"), pod("fd00::3", uid="three")], family="IPv6")
    async with watching(server) as seen:
        await seen.until("10.0.0.1", "[fd00::3]")
        server.put("riffusion-new", [pod("10.0.0.2", uid="two")])
        await seen.until("10.0.0.1", "10.0.0.2", "[fd00::3]")
        # Its other slice has not been told yet.
        server.put("riffusion-v4", [pod("10.0.0.1", uid="one", ready=False)])
        await seen.until("10.0.0.2", "[fd00::3]")


@pytest.mark.parametrize(("port", "number"), [("grpc", 8431), ("metrics", 9090), ("9090", 9090)])
async def test_a_port_is_a_name_or_a_number(server: FakeApiServer, port: str, number: int) -> None:
    server.put("riffusion-a", [pod("10.0.0.1")], ports={"grpc": 8431, "metrics": 9090})
    server.put("riffusion-b", [pod("10.0.0.2")], ports={"other": 1})
    async with watching(server, f"kubernetes://etbgm/riffusion:{port}") as seen:
        await seen.until("10.0.0.1", port=number)


async def test_duplicates_and_events_out_of_order_change_nothing(server: FakeApiServer) -> None:
    old = server.put("riffusion-a", [pod("10.0.0.1")])
    async with watching(server) as seen:
        changed = server.put("riffusion-a", [pod("10.0.0.1"), pod("10.0.0.2")])
        await seen.until("10.0.0.1", "10.0.0.2")
        for stale in (old, changed, changed, old):
            server.tell("MODIFIED", stale)
        server.delete("riffusion-a")
        server.tell("MODIFIED", changed)
        late = server.slice("riffusion-b", [pod("10.0.0.3")])
        server.put("riffusion-c", [pod("10.0.0.4")])
        server.tell("ADDED", late)
        await seen.until("10.0.0.3", "10.0.0.4")
    assert [len(addresses) for addresses in seen.told] == [1, 2, 0, 1, 2]
    assert len(server.requests) == 2


async def test_a_watch_that_ends_goes_on_where_it_stood(server: FakeApiServer) -> None:
    server.put("riffusion-a", [pod("10.0.0.1")])
    async with watching(server) as seen:
        server.version += 50
        server.bookmark()
        server.end()
        server.put("riffusion-a", [pod("10.0.0.2")])
        await seen.until("10.0.0.2")
    assert [kind for kind, _ in server.requests] == ["list", "watch", "watch"]
    assert int(server.requests[2][1]["resourceVersion"]) == server.version - 1


@pytest.mark.parametrize("silently", [False, True])
async def test_a_history_that_is_gone_is_listed_again(
    server: FakeApiServer, silently: bool, caplog: pytest.LogCaptureFixture
) -> None:
    server.put("riffusion-a", [pod("10.0.0.1")])
    async with watching(server) as seen:
        server.put("riffusion-b", [pod("10.0.0.2")])
        await seen.until("10.0.0.1", "10.0.0.2")
        server.version += 50
        server.forget(silently=silently)
        server.end()
        server.delete("riffusion-a")
        await seen.until("10.0.0.2")
        await watched(server)
        server.put("riffusion-b", [pod("10.0.0.5")])
        await seen.until("10.0.0.5")
    assert [kind for kind, _ in server.requests].count("list") == 2
    assert not caplog.records


@pytest.mark.parametrize(
    "noise",
    [
        ['{"type": "MODIFIED", "object": {"metadata": {"na', CUT],
        [CUT],
        ['{"type": "MODIFIED", "obj\n'],
        ['{"type": "MODIFIED", "object": {}}\n'],
        ["<html>502 Bad Gateway</html>\n"],
        ['{"type": "ERROR", "object": {"code": 500, "reason": "InternalError", "message": "etcd"}}\n'],
    ],
)
async def test_a_broken_watch_is_replaced(server: FakeApiServer, noise: Iterable[str]) -> None:
    server.put("riffusion-a", [pod("10.0.0.1")])
    async with watching(server) as seen:
        for text in noise:
            server.say(text)
        async with asyncio.timeout(SEEN_S):
            while [kind for kind, _ in server.requests].count("watch") < 2:
                await asyncio.sleep(0.005)
        server.put("riffusion-a", [pod("10.0.0.2")])
        await seen.until("10.0.0.2")


async def test_without_the_right_to_list_the_missing_rule_is_named(server: FakeApiServer) -> None:
    server.refusal = (403, "Forbidden")
    discovery = EndpointSlices(Target.of("kubernetes://etbgm/riffusion:grpc"), Configuration(host=server.url))
    with pytest.raises(DiscoveryFailed) as caught:
        await anext(discovery.watch())
    assert 'resources: ["endpointslices"], verbs: ["list", "watch"]' in str(caught.value)
    assert "Service riffusion in namespace etbgm" in str(caught.value)


async def test_replicas_stay_while_the_api_server_refuses_or_is_away(
    server: FakeApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.put("riffusion-a", [pod("10.0.0.1")])
    async with watching(server) as seen:
        with caplog.at_level(logging.WARNING):
            server.refusal = (403, "Forbidden")
            server.end()
            async with asyncio.timeout(SEEN_S):
                while len(caplog.records) < 2:
                    await asyncio.sleep(0.005)
        assert "needs a Role" in caplog.records[0].reason  # type: ignore[attr-defined]
        server.put("riffusion-a", [pod("10.0.0.2")])
        assert seen.told == [["10.0.0.1:8431"]]
        server.refusal = None
        await seen.until("10.0.0.2")


async def test_after_an_outage_watches_follow_each_other_as_before(
    server: FakeApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest: list[float] = []

    def at_once(_: float, pause_s: float) -> float:
        longest.append(pause_s)
        return 0.01

    monkeypatch.setattr(endpoint_slices.random, "uniform", at_once)
    server.put("riffusion-a", [pod("10.0.0.1")])
    async with watching(server) as seen:
        server.refusal = (503, "Service Unavailable")
        server.end()
        async with asyncio.timeout(SEEN_S):
            while longest[-1:] != [endpoint_slices.LONGEST_PAUSE_S]:
                await asyncio.sleep(0.005)
        server.refusal = None
        await watched(server)
        server.end()
        async with asyncio.timeout(SEEN_S):
            while longest[-1] != endpoint_slices.FIRST_PAUSE_S:
                await asyncio.sleep(0.005)
        assert seen.told == [["10.0.0.1:8431"]]


async def test_an_api_server_that_nobody_answers_for_is_an_error() -> None:
    discovery = EndpointSlices(
        Target.of("kubernetes:///riffusion:grpc"), Configuration(host="http://127.0.0.1:9")
    )
    with pytest.raises(DiscoveryFailed, match="cannot list or watch"):
        await anext(discovery.watch())
