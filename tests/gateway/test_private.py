"""Other users of the machine can neither read what the gateway keeps nor reach the services."""

import stat
import urllib.request
from pathlib import Path

import pytest

from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import free_port

pytestmark = pytest.mark.process


def open_to_others(folder: Path) -> list[str]:
    """What in `folder` has permissions for the group or others."""
    return [str(path) for path in folder.rglob("*") if stat.S_IMODE(path.stat().st_mode) & 0o077]


async def test_store_database_and_sockets_are_the_users_own(tmp_path: Path, services: FakeServices) -> None:
    folder = tmp_path / "gateway"
    folder.mkdir(mode=0o700)
    gateway = Gateway(folder, services, store_url=f"file://{folder}/store").start()
    try:
        async with gateway.api() as api:
            await api.upload(b"some bytes")
            names = {path.name for path in folder.iterdir()}
            assert names >= {"store", "uploads", "jobs.sqlite", "scaler.sock", "port"}
            assert open_to_others(folder) == []
    finally:
        gateway.kill()


async def test_metrics_are_served_on_one_interface(tmp_path: Path, services: FakeServices) -> None:
    port = free_port()
    gateway = Gateway(tmp_path, services, metrics_port=str(port), metrics_host="127.0.0.1").start()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            assert b"etbgm_jobs" in answer.read()
        with pytest.raises(OSError):
            urllib.request.urlopen(f"http://127.0.0.2:{port}/metrics", timeout=5)
    finally:
        gateway.kill()
