"""One service of the chain: in a process of its own, or as a guest in this one.

Both are entered (the service begins to start), asked for their address with
`ready`, and left (the service ends), so that all services start at the same time.
"""

import asyncio
import importlib
import json
import logging
import os
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm_kit.server import Server, Service
from etbgm_kit.settings import BadSettings, read

log = logging.getLogger(__name__)

START_TIMEOUT_S = 300.0
"""Embedded engines load in a few seconds; gigabytes of weights on a slow disk in minutes."""

STOP_TIMEOUT_S = 10.0
"""After this a child that will not stop is killed."""

RESTART_PAUSE_S = 1.0
"""Before a child that died is started again."""


class StackError(Exception):
    """A part of the chain could not be started; the message says which and where its log is."""


class Guest:
    """A service in this process."""

    def __init__(self, name: str, settings: dict[str, str]) -> None:
        self._name = name
        try:
            values = read(importlib.import_module(f"etbgm_{name}.settings").Settings, **settings)
        except BadSettings as error:
            raise StackError(f"{name} could not start: {error}") from None
        service: Service = importlib.import_module(f"etbgm_{name}.service").build(values)
        self._server = Server(service)

    async def __aenter__(self) -> Self:
        """Begins to start."""
        self._starting = asyncio.create_task(self._server.start())
        return self

    async def ready(self) -> str:
        """The address, once requests are taken. Raises StackError."""
        try:
            await self._starting
        except RuntimeError as error:
            raise StackError(f"{self._name} could not start: {error}") from None
        return f"127.0.0.1:{self._server.port}"

    async def __aexit__(self, *_: object) -> None:
        """Stops, after the calls in flight."""
        await asyncio.gather(self._starting, return_exceptions=True)
        await self._server.stop(notice_s=0)


class Child:
    """A service in a process of its own, started again at the same address when it dies."""

    def __init__(self, name: str, settings: dict[str, str], data: Path, logs: Path) -> None:
        self._name, self._settings = name, settings
        self._log = logs / f"{name}.log"
        self._port_file = data / f"{name}.port"
        self._guarding: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Starts the process."""
        await self._spawn()
        return self

    async def ready(self) -> str:
        """The address, once requests are taken. Raises StackError."""
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                address = await self._until_ready()
        except TimeoutError:
            raise StackError(
                f"{self._name} was not ready in {START_TIMEOUT_S:.0f} s; see {self._log}"
            ) from None
        self._guarding = asyncio.create_task(self._guard(address))
        return address

    async def __aexit__(self, *_: object) -> None:
        """Asks the process to stop by closing its standard input, then insists."""
        if self._guarding:
            self._guarding.cancel()
            await asyncio.gather(self._guarding, return_exceptions=True)
        if self._process.returncode is None and self._process.stdin:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        self._port_file.unlink(missing_ok=True)

    async def _spawn(self) -> None:
        self._port_file.unlink(missing_ok=True)
        settings = {**self._settings, "port_file": str(self._port_file), "stop_with_parent": "true"}
        environment = {f"ETBGM_{key.upper()}": value for key, value in settings.items()}
        with self._log.open("ab") as log_file:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"etbgm_{self._name}"),
                stdin=asyncio.subprocess.PIPE,
                stdout=log_file,
                stderr=log_file,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    async def _guard(self, address: str) -> None:
        self._settings["listen_address"] = address
        while True:
            await self._process.wait()
            log.error("service died", extra={"service": self._name, "exit_status": self._process.returncode})
            await asyncio.sleep(RESTART_PAUSE_S)
            await self._spawn()

    async def _until_ready(self) -> str:
        while not self._port_file.exists() or not (port := self._port_file.read_text()):
            self._raise_if_dead()
            await asyncio.sleep(0.02)
        address = f"127.0.0.1:{port}"
        async with grpc.aio.insecure_channel(address) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            while not await self._is_serving(health):
                self._raise_if_dead()
                await asyncio.sleep(0.05)
        return address

    async def _is_serving(self, health: health_pb2_grpc.HealthStub) -> bool:
        try:
            answer = await health.Check(health_pb2.HealthCheckRequest())  # type: ignore[attr-defined]
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    def _raise_if_dead(self) -> None:
        if self._process.returncode is not None:
            raise StackError(f"{self._name} could not start: {self._why()}")

    def _why(self) -> str:
        """What the end of the log gives as the reason, or where the log is."""
        with self._log.open(encoding="utf-8", errors="replace") as log_file:
            lines = deque(log_file, maxlen=4)
        for line in reversed(lines):
            with suppress(KeyError, TypeError, ValueError):
                return str(json.loads(line)["why"])
        return f"the end of {self._log} says why"
