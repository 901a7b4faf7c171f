"""Starts services as forks of a template (`etbgm_kit.serving.template`)."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import BinaryIO, Self

from etbgm_kit.serving.template import LARGEST_MESSAGE


class Forks:
    """A launcher whose template starts with the first process, and again if it has died.

    What was forked from a template that dies is killed, because nobody else would learn of its end.
    """

    def __init__(self) -> None:
        self._template: asyncio.subprocess.Process | None = None
        self._socket: socket.socket | None = None
        self._starting: deque[tuple[asyncio.Future[Forked], int]] = deque()
        self._running: dict[int, Forked] = {}
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Starts nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends the template, and processes that have not ended."""
        self._close()
        if self._template:
            await self._template.wait()

    async def start(self, module: str, environment: Mapping[str, str], log: BinaryIO) -> "Forked":
        """See `Launcher`."""
        async with self._opening:
            template = self._socket or await self._open()
        started: asyncio.Future[Forked] = asyncio.get_running_loop().create_future()
        message = json.dumps([module, dict(environment)]).encode()
        reads, writes = os.pipe()
        try:
            socket.send_fds(template, [message], [reads, log.fileno()])
        except OSError:
            os.close(writes)
            raise
        finally:
            os.close(reads)
        self._starting.append((started, writes))
        return await started

    async def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._template = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "etbgm_kit.serving.template", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        ours.setblocking(False)
        asyncio.get_running_loop().add_reader(ours, self._read, ours)
        self._socket = ours
        return ours

    def _read(self, template: socket.socket) -> None:
        message = b""
        with suppress(OSError):
            message = template.recv(LARGEST_MESSAGE)
        if not message:
            self._close()
            return
        pid, status = json.loads(message)
        if status is not None:
            self._running.pop(pid).ended(status)
            return
        started, stdin = self._starting.popleft()
        forked = self._running[pid] = Forked(pid, stdin)
        if started.cancelled():
            forked.stop()
        else:
            started.set_result(forked)

    def _close(self) -> None:
        """Closes the socket, which ends the template, and ends what was forked from it."""
        if not self._socket:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        for started, stdin in self._starting:
            os.close(stdin)
            if not started.done():
                started.set_exception(ChildProcessError("the template of the services has died"))
        self._starting.clear()
        for forked in self._running.values():
            forked.kill()
            forked.ended(-signal.SIGKILL)
        self._running.clear()


class Forked:
    """A process that was forked; see `Process`."""

    def __init__(self, pid: int, stdin: int) -> None:
        """`stdin`: the descriptor of the end of its standard input to which one writes."""
        self._pid, self._stdin = pid, stdin
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        """See `Process`."""
        return self._status.result() if self._status.done() else None

    async def wait(self) -> int:
        """See `Process`."""
        return await asyncio.shield(self._status)

    def stop(self) -> None:
        """See `Process`."""
        if self._stdin >= 0:
            os.close(self._stdin)
            self._stdin = -1

    def kill(self) -> None:
        """See `Process`."""
        if not self._status.done():
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)

    def ended(self, status: int) -> None:
        """Takes the exit status."""
        self.stop()
        self._status.set_result(status)
