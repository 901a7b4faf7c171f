"""Runs one service of the local stack in a separate process.

Entering a Child starts its process without waiting, `ready` waits for its address, and
leaving it stops the process, so that all services can start at the same time.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm_cli.processes import Launcher, Process

START_TIMEOUT_S = 300.0
"""Bundled engines load in a few seconds; gigabytes of weights on a slow disk take minutes."""

STOP_TIMEOUT_S = 10.0
"""A child that has not stopped after this time is killed."""

RESTART_PAUSE_S = 1.0
"""Delay before a child that died is restarted."""

OnDeath = Callable[[str], None]
"""Called with a sentence that names the service that died, its exit status and its last log line."""


class StackError(Exception):
    """A part of the stack could not be started; the message says which part and where its log is."""


class Child:
    """A service in a separate process, restarted at the same address if it dies."""

    def __init__(
        self,
        name: str,
        settings: dict[str, str],
        data: Path,
        logs: Path,
        on_death: OnDeath,
        launcher: Launcher,
    ) -> None:
        self._name, self._settings, self._on_death, self._launcher = name, settings, on_death, launcher
        self._log = logs / f"{name}.log"
        self._port_file = data / f"{name}.port"
        self._process: Process
        self._guarding: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Starts the process."""
        await self._spawn()
        return self

    async def ready(self) -> str:
        """Waits until the service accepts requests and returns its address. Raises StackError."""
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                address = await self._until_ready()
        except TimeoutError:
            raise StackError(
                f"{self._name} was not ready within {START_TIMEOUT_S:.0f} s; see {self._log}"
            ) from None
        self._guarding = asyncio.create_task(self._guard(address))
        return address

    async def __aexit__(self, *_: object) -> None:
        """Asks the process to stop by closing its standard input; kills it after STOP_TIMEOUT_S."""
        if self._guarding:
            self._guarding.cancel()
            await asyncio.gather(self._guarding, return_exceptions=True)
        self._process.stop()
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
            self._process = await self._launcher.start(f"etbgm_{self._name}", environment, log_file)

    async def _guard(self, address: str) -> None:
        self._settings["listen_address"] = address
        while True:
            status = await self._process.wait()
            last = self._last_lines(1)
            said = f"last log line: {last[0]}" if last else f"nothing was logged to {self._log}"
            self._on_death(f"{self._name} exited with status {status} and is being restarted; {said}")
            await asyncio.sleep(RESTART_PAUSE_S)
            await self._spawn()

    async def _until_ready(self) -> str:
        while not self._port_file.exists() or not (port := self._port_file.read_text()):
            self._raise_if_dead()
            await asyncio.sleep(0.02)
        listens_on = self._settings["listen_address"]
        address = listens_on if listens_on.startswith("unix:") else f"127.0.0.1:{port}"
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
            raise StackError(f"{self._name} failed to start: {self._why()}")

    def _why(self) -> str:
        """The reason at the end of the log, or a pointer to the log."""
        for line in reversed(self._last_lines(4)):
            with suppress(KeyError, TypeError, ValueError):
                return str(json.loads(line)["why"])
        return f"see the end of {self._log}"

    def _last_lines(self, number: int) -> list[str]:
        with self._log.open(encoding="utf-8", errors="replace") as log_file:
            return list(deque((line.strip() for line in log_file if line.strip()), maxlen=number))
