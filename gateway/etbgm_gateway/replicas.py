"""The replicas of one service and the choice among them."""

import random
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import grpc

Stub = TypeVar("Stub")

_OPTIONS = (
    ("grpc.max_receive_message_length", 32 << 20),
    # A service that was restarted is found within two seconds; gRPC's own limit is two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
)


class Replica(Generic[Stub]):
    """One server: its address, its stub, and how many calls of ours it has."""

    def __init__(self, address: str, stub_of: Callable[[grpc.aio.Channel], Stub]) -> None:
        """Connects when first called; needs a running event loop."""
        self.address = address
        self.channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
        self.stub = stub_of(self.channel)
        self.in_flight = 0


class Replicas(Generic[Stub]):
    """The servers of one service."""

    def __init__(self, addresses: str, stub_of: Callable[[grpc.aio.Channel], Stub]) -> None:
        """`addresses` are host:port, separated by commas; ValueError when there is none."""
        names = [name.strip() for name in addresses.split(",") if name.strip()]
        if not names:
            raise ValueError("need at least one address, host:port")
        self._replicas = [Replica(name, stub_of) for name in names]

    def __len__(self) -> int:
        return len(self._replicas)

    @contextmanager
    def take(self, refused_by: Collection[Replica[Stub]] = ()) -> Iterator[Replica[Stub]]:
        """The replica with the fewest calls in flight, one of them at random when several are equal.

        Those in `refused_by` are passed over as long as there is another. It counts one
        call more while the context lasts.
        """
        choice = [replica for replica in self._replicas if replica not in refused_by] or self._replicas
        fewest = min(replica.in_flight for replica in choice)
        replica = random.choice([replica for replica in choice if replica.in_flight == fewest])
        replica.in_flight += 1
        try:
            yield replica
        finally:
            replica.in_flight -= 1

    async def close(self) -> None:
        """Closes all channels."""
        for replica in self._replicas:
            await replica.channel.close()
