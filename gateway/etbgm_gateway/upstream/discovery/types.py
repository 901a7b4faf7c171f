"""The interface of every discovery."""

from collections.abc import AsyncIterator
from typing import Protocol


class DiscoveryFailed(RuntimeError):
    """The replicas cannot be found; the message says what to change."""


class Discovery(Protocol):
    """Finds the replicas of one service."""

    def watch(self) -> AsyncIterator[frozenset[str]]:
        """Yields the addresses, host:port, of all replicas that accept calls, now and after each change.

        Ends when no change can follow. Raises DiscoveryFailed only in place of the first set.
        """
        ...
