"""A network that fails: a TCP proxy on loopback between a client and a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_BLOCK_BYTES = 1 << 16


class FaultyNetwork:
    """Passes bytes on in both directions, at once, late, or not at all, until it cuts the connections."""

    def __init__(self, host: str, port: int) -> None:
        """To the server at `host` and `port`."""
        self._host, self._port = host, port
        self._passes = asyncio.Event()
        self._passes.set()
        self._delay_s = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.address = ""
        self.connections = 0
        """How many were made."""

    def blackhole(self) -> None:
        """From now on nothing arrives, and nobody is told: connections stay open."""
        self._passes.clear()

    def delay(self, seconds: float) -> None:
        """From now on each block arrives `seconds` late."""
        self._delay_s = seconds

    def resume(self) -> None:
        """From now on all is well; what was held back arrives."""
        self._delay_s = 0.0
        self._passes.set()

    def cut(self) -> None:
        """Resets the connections that there are; new ones can be made."""
        for writer in self._writers:
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there_reader, there_writer = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, there_writer}
        for source, sink in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(self._pass_on(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError):
                while data := await reader.read(_BLOCK_BYTES):
                    await asyncio.sleep(self._delay_s)
                    await self._passes.wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()
            self._writers.discard(writer)

    async def _close(self) -> None:
        self.cut()
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def faulty_network(address: str) -> AsyncIterator[FaultyNetwork]:
    """A way to the server at `address`, host:port, by another address while the context lasts."""
    host, _, port = address.rpartition(":")
    network = FaultyNetwork(host, int(port))
    server = await asyncio.start_server(network._connect, "127.0.0.1", 0)
    network.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield network
    finally:
        server.close()
        await network._close()
