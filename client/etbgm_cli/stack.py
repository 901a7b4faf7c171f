"""The local stack: four services and the gateway as processes on loopback.

A process that dies is restarted. Children stop when this process ends, however it ends:
they watch a pipe that it keeps open.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from etbgm_cli.child import Child, OnDeath, StackError
from etbgm_kit.artifacts.locks import locked

SERVICES = ("stt", "sentiment", "riffusion", "mixer")
"""In the order of the stages; module etbgm_<name>, address setting <name>_address."""

LOOPBACK = "127.0.0.1:0"


@dataclass(frozen=True)
class StackOptions:
    """Where a stack stores its data.

    Artifacts are at `store_url`, jobs in `data` unless `job_store_url` names another place, logs
    in `logs`. Several stacks may share a store, but each needs its own `data`. The gateway also
    listens for HTTP if `http_address` is given.
    """

    store_url: str
    data: Path
    logs: Path
    on_death: OnDeath
    listen_address: str = LOOPBACK
    job_store_url: str = ""
    http_address: str = ""
    full_disk_wait_s: float | None = None
    """How long jobs wait for free space; None for the gateway's default."""

    def made(self) -> "StackOptions":
        """Creates the folders and returns the same options with absolute paths."""
        for folder in (self.data, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        return replace(self, data=self.data.resolve(), logs=self.logs.resolve())

    def child(self, name: str, settings: dict[str, str]) -> Child:
        """Returns a child of this stack."""
        return Child(name, {"store_url": self.store_url, **settings}, self.data, self.logs, self.on_death)


@asynccontextmanager
async def stack(options: StackOptions) -> AsyncIterator[str]:
    """Runs all services and yields the gateway's address. Raises StackError."""
    options = options.made()
    async with AsyncExitStack() as running:
        running.enter_context(_sole_use(options.data))
        services = {
            name: await running.enter_async_context(options.child(name, _computing())) for name in SERVICES
        }
        addresses = {f"{name}_address": await service.ready() for name, service in services.items()}
        own = {
            "listen_address": options.listen_address,
            "http_address": options.http_address,
            "job_store_url": options.job_store_url or f"sqlite:///{options.data}/jobs.sqlite",
            "uploads_dir": f"{options.data}/uploads",
        }
        if options.full_disk_wait_s is not None:
            own["full_disk_wait_s"] = str(options.full_disk_wait_s)
        gateway = await running.enter_async_context(options.child("gateway", {**addresses, **own}))
        yield await gateway.ready()


@asynccontextmanager
async def one_service(name: str, options: StackOptions) -> AsyncIterator[str]:
    """Runs one of SERVICES and yields its address. Raises StackError."""
    async with options.made().child(name, _computing()) as service:
        yield await service.ready()


def _computing() -> dict[str, str]:
    """The settings of a service that computes on all cores. Only the gateway may use the metrics port."""
    return {"listen_address": LOOPBACK, "slots": str(os.cpu_count() or 1), "metrics_port": "0"}


@contextmanager
def _sole_use(data: Path) -> Iterator[None]:
    """Locks the folder, because two gateways on one SQLite file would run jobs twice."""
    with locked(data / "lock") as is_held:
        if not is_held:
            raise StackError(f"another etbgm is running on {data}; choose another --data")
        yield
