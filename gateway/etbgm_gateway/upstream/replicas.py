"""The replicas of one service and the choice among them."""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import grpc

from etbgm_gateway.upstream.discovery.types import Discovery

Stub = TypeVar("Stub")

_OPTIONS = (
    ("grpc.max_receive_message_length", 32 << 20),
    # Reconnects to a restarted service within two seconds; gRPC's own limit is two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    # Also the timeout of a connection attempt.
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # A machine that vanishes closes no connection: without pings, its calls would last until their deadlines.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # gRPC uses the longer of the two timeouts, and this one defaults to a minute.
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM: the authorities of the services, and the gateway's own certificate with its key."""

    ca_file: Path
    cert_file: Path | None
    key_file: Path | None


def _channel(address: str, tls: Tls | None) -> grpc.aio.Channel:
    if tls is None:
        return grpc.aio.insecure_channel(address, options=_OPTIONS)
    # Read for each channel: new replicas see renewed certificates.
    files = (tls.ca_file, tls.key_file, tls.cert_file)
    credentials = grpc.ssl_channel_credentials(*(path.read_bytes() if path else None for path in files))
    return grpc.aio.secure_channel(address, credentials, options=_OPTIONS)


class Replica(Generic[Stub]):
    """One server: its address, its stub, and the number of our calls in flight to it."""

    def __init__(self, address: str, stub_of: Callable[[grpc.aio.Channel], Stub], tls: Tls | None) -> None:
        """Connects on the first call; needs a running event loop."""
        self.address = address
        self.channel = _channel(address, tls)
        self.stub = stub_of(self.channel)
        self.in_flight = 0


class Replicas(Generic[Stub]):
    """The servers of one service; empty before `find`."""

    def __init__(
        self, discovery: Discovery, stub_of: Callable[[grpc.aio.Channel], Stub], tls: Tls | None = None
    ) -> None:
        self._discovery, self._stub_of, self._tls = discovery, stub_of, tls
        self._replicas: dict[str, Replica[Stub]] = {}
        self._retired: set[Replica[Stub]] = set()
        self._placed = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._replicas)

    def __iter__(self) -> Iterator[Replica[Stub]]:
        return iter(self._replicas.values())

    @property
    def in_flight(self) -> int:
        """The number of our calls in flight to current replicas; may be read from any thread."""
        return sum(replica.in_flight for replica in list(self._replicas.values()))

    @property
    def _leaving(self) -> int:
        return sum(replica.in_flight for replica in self._retired)

    async def find(self) -> None:
        """Gets the replicas from the discovery and follows later changes. Raises DiscoveryFailed."""
        if self._following is None:
            watch = self._discovery.watch()
            self._set(await anext(watch))
            self._following = asyncio.create_task(self._follow(watch))

    async def some(self) -> None:
        """Waits until there is at least one replica: services can be scaled to zero."""
        await self._until(lambda: len(self) > 0)

    @asynccontextmanager
    async def place(self, of_each: int) -> AsyncIterator[None]:
        """Holds one of the places, `of_each` at every replica; waits until one is free.

        Calls still running at removed replicas do not use up places at the current ones.
        """
        await self._placed_among(of_each)
        try:
            yield
        finally:
            self._placed -= 1
            self._tell()

    @asynccontextmanager
    async def take(self, refused_by: Collection[Replica[Stub]] = ()) -> AsyncIterator[Replica[Stub]]:
        """Yields the replica with the fewest calls in flight, chosen at random among equals.

        Skips replicas in `refused_by` as long as there is another; waits while there are none at
        all. The replica counts one more call in flight while the context lasts.
        """
        await self.some()
        choice = [replica for replica in self if replica not in refused_by] or list(self)
        fewest = min(replica.in_flight for replica in choice)
        replica = random.choice([replica for replica in choice if replica.in_flight == fewest])
        replica.in_flight += 1
        try:
            yield replica
        finally:
            replica.in_flight -= 1
            self._close_retired()

    async def close(self) -> None:
        """Closes all channels."""
        if self._following:
            self._following.cancel()
            await asyncio.wait([self._following])
        for replica in (*self, *self._retired):
            await replica.channel.close()
        await asyncio.gather(*self._closing)

    async def _follow(self, watch: AsyncIterator[frozenset[str]]) -> None:
        async for addresses in watch:
            self._set(addresses)

    def _set(self, addresses: Collection[str]) -> None:
        """Updates the replicas; calls in flight to removed ones continue, because a pod may be draining."""
        for address in self._replicas.keys() - addresses:
            self._retired.add(self._replicas.pop(address))
        for address in addresses - self._replicas.keys():
            self._replicas[address] = Replica(address, self._stub_of, self._tls)
        self._close_retired()
        self._tell()

    def _close_retired(self) -> None:
        for replica in [replica for replica in self._retired if not replica.in_flight]:
            self._retired.remove(replica)
            closing = asyncio.create_task(replica.channel.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _placed_among(self, of_each: int) -> None:
        """Waits for a place and takes it."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append((of_each, waiting))
        self._give_places()
        try:
            await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled():  # it was given a place and cannot use it
                self._placed -= 1
                self._tell()
            raise

    def _give_places(self) -> None:
        """Gives free places to those that wait, in order of arrival; wakes no others, who may be many."""
        while self._waiting:
            of_each, waiting = self._waiting[0]
            if not waiting.done():
                if self._placed - self._leaving >= of_each * len(self):
                    return
                self._placed += 1
                waiting.set_result(None)
            self._waiting.popleft()

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._changed.wait()

    def _tell(self) -> None:
        """Wakes all tasks that wait for a replica, and those that get a place."""
        self._give_places()
        self._changed.set()
        self._changed.clear()
