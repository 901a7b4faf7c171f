"""Runs a service as a process, from the settings to SIGTERM."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from etbgm_kit.serving.log import configure_logging
from etbgm_kit.serving.server import Server, Service
from etbgm_kit.serving.settings import BadSettings, NotReachable

log = logging.getLogger(__name__)

LOAD_AGAIN_S = 30.0
"""Delay before another attempt to load the engine: its weights may still be downloading."""

BUILD_AGAIN_S = 2.0
"""Delay before another attempt to reach what the server needs at its start."""

PRIVATE_UMASK = 0o077
"""Only the server's own user may read and write what it creates: artifacts, databases, sockets."""


def run(build: Callable[[], Service]) -> None:
    """Serves the service that `build` returns until SIGTERM or SIGINT; the body of each service's `main`.

    If `build` raises BadSettings, the process logs one line and exits. If it raises NotReachable, it is
    called again, because servers may start before what they need.
    """
    os.umask(PRIVATE_UMASK)
    asyncio.run(_serve(build))


async def _serve(build: Callable[[], Service]) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stopping.set)
    built = await _built(build, stopping)
    if built is None:
        return
    service, server = built
    _name_process(f"etbgm_{service.name}")
    configure_logging(service.settings.log_level)
    if service.settings.stop_with_parent:
        loop.add_reader(sys.stdin.fileno(), _stop_reading, loop, stopping)
    await server.open()
    try:
        await _load(server, service, stopping)
        await stopping.wait()
    finally:
        await server.stop()


async def _built(build: Callable[[], Service], stopping: asyncio.Event) -> tuple[Service, Server] | None:
    """Builds the service as soon as everything that it needs can be reached; None if `stopping` is set."""
    configure_logging("WARNING")
    while not stopping.is_set():
        try:
            service = build()
            return service, Server(service)
        except BadSettings as error:
            log.error("the settings cannot be used", extra={"why": str(error)})
            raise SystemExit(1) from None
        except NotReachable as error:
            log.warning("the server cannot start yet", extra={"why": str(error)})
        await _pause(stopping, BUILD_AGAIN_S)
    return None


def _name_process(name: str) -> None:
    """Gives the process a name in ps and top, on Linux; at most 15 bytes of it count."""
    with suppress(OSError):
        Path("/proc/self/comm").write_text(name)


async def _load(server: Server, service: Service, stopping: asyncio.Event) -> None:
    """Loads the engine, retrying until `stopping` is set. On failure, a child of a parent exits instead."""
    while not stopping.is_set():
        try:
            await server.load(stopping)
        except RuntimeError as error:
            log.error("the engine cannot be loaded", extra={"service": service.name, "why": str(error)})
        else:
            return
        if service.settings.stop_with_parent:
            raise SystemExit(1)
        await _pause(stopping, LOAD_AGAIN_S)


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


def _stop_reading(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    loop.remove_reader(sys.stdin.fileno())
    stopping.set()
