"""The local stack: four services and the gateway as processes.

They listen on sockets in the data folder, which only the user may enter; `etbgm serve` has the gateway
listen on loopback instead.

A process that dies is restarted. Children stop when this process ends, however it ends:
they watch a pipe that it keeps open.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from etbgm_cli.child import Child, OnDeath, StackError
from etbgm_cli.processes import Interpreters, Launcher, launching
from etbgm_kit.artifacts.locks import locked

SERVICES = ("stt", "sentiment", "riffusion", "mixer")
"""In the order of the stages; module etbgm_<name>, address setting <name>_address."""


_THIS_MACHINE = '["127.0.0.0/8", "::1/128"]'
"""Webhooks of a local gateway may be received by other programs of the same machine."""

LONGEST_FOLDER = 80
"""Length of the longest path, in bytes, of a folder with sockets."""


@dataclass(frozen=True)
class StackOptions:
    """Where a stack stores its data.

    Artifacts are at `store_url`, jobs in `data` unless `job_store_url` names another place, logs
    in `logs`. Several stacks may share a store, but each needs its own `data`. Without a
    `listen_address`, the gateway listens on a socket; with an `http_address`, also for HTTP.
    """

    store_url: str
    data: Path
    logs: Path
    on_death: OnDeath
    listen_address: str = ""
    job_store_url: str = ""
    http_address: str = ""
    insecure: bool = False
    full_disk_wait_s: float | None = None
    """How long jobs wait for free space; None for the gateway's default."""

    def made(self) -> "StackOptions":
        """Creates the folders, closed to other users, and returns the same options with absolute paths."""
        for folder in (self.data, self.logs):
            make_private(folder)
        return replace(self, data=self.data.resolve(), logs=self.logs.resolve())

    def child(self, name: str, settings: dict[str, str], launcher: Launcher) -> Child:
        """Returns a child of this stack."""
        settings = {"store_url": self.store_url, **settings}
        return Child(name, settings, self.data, self.logs, self.on_death, launcher)


@asynccontextmanager
async def stack(options: StackOptions) -> AsyncIterator[str]:
    """Runs all services and yields the gateway's address. Raises StackError."""
    options = options.made()
    async with AsyncExitStack() as running:
        running.enter_context(_sole_use(options.data))
        sockets = running.enter_context(_sockets(options.data))
        launcher = await running.enter_async_context(launching())
        services = {
            name: await running.enter_async_context(options.child(name, _computing(sockets, name), launcher))
            for name in SERVICES
        }
        addresses = {f"{name}_address": await service.ready() for name, service in services.items()}
        own = {
            "listen_address": options.listen_address or _socket(sockets, "gateway"),
            "http_address": options.http_address,
            "metrics_host": "127.0.0.1",
            "job_store_url": options.job_store_url or f"sqlite:///{options.data}/jobs.sqlite",
            "uploads_dir": f"{options.data}/uploads",
        }
        if options.listen_address:
            own |= {"key_file": f"{options.data}/key", "insecure": str(options.insecure)}
            own |= {"outgoing_networks": _THIS_MACHINE, "outgoing_plain_http": "true"}
            own["sources"] = '["https://", "http://"]'
        if options.full_disk_wait_s is not None:
            own["full_disk_wait_s"] = str(options.full_disk_wait_s)
        gateway = await running.enter_async_context(options.child("gateway", {**addresses, **own}, launcher))
        yield await gateway.ready()


@asynccontextmanager
async def one_service(name: str, options: StackOptions) -> AsyncIterator[str]:
    """Runs one of SERVICES and yields its address. Raises StackError."""
    options = options.made()
    with _sockets(options.data) as sockets:
        async with options.child(name, _computing(sockets, name), Interpreters()) as service:
            yield await service.ready()


def make_private(folder: Path) -> None:
    """Creates the folder and closes it to other users of the machine."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


@contextmanager
def _sockets(data: Path) -> Iterator[Path]:
    """A folder for sockets: `data`, unless its path is too long, as the system allows about 100 bytes."""
    if len(os.fsencode(data)) <= LONGEST_FOLDER:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="etbgm-") as folder:
        yield Path(folder)


def _socket(sockets: Path, name: str) -> str:
    return f"unix:{sockets}/{name}.sock"


def _computing(sockets: Path, name: str) -> dict[str, str]:
    """The settings of a service that computes on all cores. Only the gateway may use the metrics port."""
    return {"listen_address": _socket(sockets, name), "slots": str(os.cpu_count() or 1), "metrics_port": "0"}


@contextmanager
def _sole_use(data: Path) -> Iterator[None]:
    """Locks the folder, because two gateways on one SQLite file would run jobs twice."""
    with locked(data / "lock") as is_held:
        if not is_held:
            raise StackError(f"another etbgm is running on {data}; choose another --data")
        yield
