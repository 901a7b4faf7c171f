"""What every discovery offers."""

from collections.abc import AsyncIterator
from typing import Protocol


class DiscoveryFailed(RuntimeError):
    """Nobody says where the replicas are; the message says what has to be changed."""


class Discovery(Protocol):
    """Where the replicas of one service are."""

    def watch(self) -> AsyncIterator[frozenset[str]]:
        """The addresses, host:port, of all replicas that take calls now, and again after each change.

        Ends when nothing will change. Raises DiscoveryFailed, only in place of the first.
        """
        ...
