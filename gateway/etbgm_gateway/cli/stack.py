"""The whole chain on one machine: four services and the gateway on loopback.

Each runs in a process of its own and is started again when it dies; or all run in
this process (`in_process`). Children stop when this process does, however it ends:
they watch a pipe that it holds.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from etbgm_gateway.cli.child import Child, Guest, StackError

SERVICES = ("stt", "sentiment", "riffusion", "mixer")
"""In the order of the stages; module etbgm_<name>, address setting <name>_address."""

LOOPBACK = "127.0.0.1:0"


@asynccontextmanager
async def stack(
    store_url: str,
    data: Path,
    logs: Path,
    listen_address: str = LOOPBACK,
    job_store_url: str = "",
    in_process: bool = False,
) -> AsyncIterator[str]:
    """Runs the chain with its artifacts at `store_url`, its logs in `logs`.

    Jobs are in `data` unless `job_store_url` names another place. Many chains may
    share a store; each has a `data` of its own. Yields the gateway's address. Raises
    StackError.
    """
    for folder in (data, logs):
        folder.mkdir(parents=True, exist_ok=True)
    common, computing = {"store_url": store_url}, _computing(store_url)
    async with AsyncExitStack() as running:
        running.enter_context(_sole_use(data))

        async def begin(name: str, settings: dict[str, str]) -> Child | Guest:
            part = Guest(name, settings) if in_process else Child(name, settings, data, logs)
            return await running.enter_async_context(part)

        services = {name: await begin(name, dict(computing)) for name in SERVICES}
        addresses = {f"{name}_address": await service.ready() for name, service in services.items()}
        own = {
            "listen_address": listen_address,
            "job_store_url": job_store_url or f"sqlite:///{data.resolve()}/jobs.sqlite",
            "uploads_dir": f"{data.resolve()}/uploads",
        }
        gateway = await begin("gateway", {**common, **addresses, **own})
        yield await gateway.ready()


@asynccontextmanager
async def one_service(name: str, store_url: str) -> AsyncIterator[str]:
    """Runs one of SERVICES in this process with its artifacts at `store_url`.

    Yields its address. Raises StackError.
    """
    async with Guest(name, _computing(store_url)) as service:
        yield await service.ready()


def _computing(store_url: str) -> dict[str, str]:
    """The settings of a service that computes on all cores. A port for metrics would be the gateway's."""
    computing = {"slots": str(os.cpu_count() or 1), "metrics_port": "0"}
    return {"store_url": store_url, "listen_address": LOOPBACK, **computing}


@contextmanager
def _sole_use(data: Path) -> Iterator[None]:
    """Holds the folder's lock: two gateways on one SQLite file would run jobs twice."""
    with (data / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StackError(f"another etbgm is running on {data}; choose another --data") from None
        yield
