"""Replicas at fixed addresses."""

from collections.abc import AsyncIterator


class Static:
    """The addresses that the operator configured."""

    def __init__(self, addresses: str) -> None:
        """Reads `addresses`, host:port separated by commas; raises ValueError when there is none."""
        self._addresses = frozenset(name.strip() for name in addresses.split(",") if name.strip())
        if not self._addresses:
            raise ValueError("need at least one address, host:port")

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        """Yields all addresses, once."""
        yield self._addresses
