"""Places to measure: gateways on PostgreSQL or SQLite over simulated engines."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil

from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import postgresql

EVERY_ENGINE = ("mixer", "stt", "sentiment", "riffusion")


@dataclass
class Place:
    """A folder with simulated engines and the gateways over them."""

    folder: Path
    services: FakeServices
    gateways: Sequence[Gateway]
    job_store_url: str

    @property
    def gateway(self) -> Gateway:
        """The first gateway."""
        return self.gateways[0]

    @property
    def operators_key(self) -> str:
        """The key in the key file."""
        return (self.folder / "key").read_text().strip()


@contextmanager
def place(
    *,
    gateways: int = 1,
    on_postgresql: bool = True,
    engines: Sequence[str] = EVERY_ENGINE,
    environment: Mapping[str, str] = MappingProxyType({}),
    store_url: str = "",
    with_keys: bool = False,
    **settings: str,
) -> Iterator[Place]:
    """Runs the gateways while the context lasts; `environment` is also that of the engines."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="etbgm-bench-")))
        url = stack.enter_context(postgresql()) if on_postgresql else ""
        store = store_url or f"file://{folder}/store"
        services = FakeServices(folder / "services", store, dict(environment), *engines)
        if with_keys:
            settings["key_file"] = str(folder / "key")
        stack.callback(services.close)
        started = []
        for i in range(gateways):
            gateway = Gateway(folder / f"gateway-{i}", services, url, f"gateway-{i}", **settings)
            gateway.log = folder / f"gateway-{i}.log"
            started.append(gateway.start())
            stack.callback(gateway.kill)
        yield Place(folder, services, started, url)


@dataclass
class Spent:
    """Seconds of processor time and of wall time."""

    cpu_s: float = 0.0
    wall_s: float = 0.0


@contextmanager
def spent_by(pid: int) -> Iterator[Spent]:
    """Measures what the process spends while the context lasts."""
    process, spent = psutil.Process(pid), Spent()
    cpu_s, began_s = sum(process.cpu_times()[:2]), time.monotonic()
    yield spent
    spent.cpu_s = sum(process.cpu_times()[:2]) - cpu_s
    spent.wall_s = time.monotonic() - began_s
