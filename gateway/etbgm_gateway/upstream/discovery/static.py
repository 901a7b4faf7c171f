"""Replicas at addresses that never change."""

from collections.abc import AsyncIterator


class Static:
    """The addresses that were written down."""

    def __init__(self, addresses: str) -> None:
        """`addresses` are host:port, separated by commas; ValueError when there is none."""
        self._addresses = frozenset(name.strip() for name in addresses.split(",") if name.strip())
        if not self._addresses:
            raise ValueError("need at least one address, host:port")

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        """All of them, once."""
        yield self._addresses
