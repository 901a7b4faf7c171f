"""Starts services as processes: forks of a template where that is safe, new interpreters elsewhere."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import BinaryIO, Protocol

from etbgm_cli.forks import Forks


class Process(Protocol):
    """A service that was started."""

    @property
    def returncode(self) -> int | None:
        """Its exit status; negative: the signal that ended it; None while it runs."""

    async def wait(self) -> int:
        """Waits for its end and returns the status."""

    def stop(self) -> None:
        """Asks it to stop, by closing its standard input."""

    def kill(self) -> None:
        """Ends it at once."""


class Launcher(Protocol):
    """Starts processes."""

    async def start(self, module: str, environment: Mapping[str, str], log: BinaryIO) -> Process:
        """Runs `python -m module` in a session of its own, with `environment` besides that of this process.

        What it prints goes to `log`. Raises OSError if the process cannot be started.
        """


@asynccontextmanager
async def launching() -> AsyncIterator[Launcher]:
    """Yields what starts the services of a stack best on this system.

    Outside Linux, libraries of the system may not survive a fork.
    """
    if sys.platform == "linux":
        async with Forks() as forks:
            yield forks
    else:
        yield Interpreters()


class Interpreters:
    """Starts each module in a new interpreter."""

    async def start(self, module: str, environment: Mapping[str, str], log: BinaryIO) -> Process:
        """See `Launcher`."""
        return _Interpreter(
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        )


class _Interpreter:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def wait(self) -> int:
        return await self._process.wait()

    def stop(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
