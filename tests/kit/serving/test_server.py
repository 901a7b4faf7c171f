"""Start of a server whose engine cannot be loaded at first: `python test_server.py FOLDER [child|unset]`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm_kit.models.folders import BrokenModel
from etbgm_kit.serving import process
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Service
from etbgm_kit.serving.settings import ServiceSettings, read

pytestmark = pytest.mark.process

STATUS = health_pb2.HealthCheckResponse.ServingStatus


def service(folder: Path, stop_with_parent: bool) -> Service:
    """A service whose engine needs the file `weights` in `folder`."""

    def load() -> None:
        if not (folder / "weights").exists():
            raise BrokenModel(folder, "missing or empty: weights")

    settings = ServiceSettings(
        store_url=folder.as_uri(),
        listen_address="127.0.0.1:0",
        port_file=folder / "port",
        stop_with_parent=stop_with_parent,
    )
    return Service("some", "some.Some", settings, Runner(1, 1), lambda _: None, load)


@asynccontextmanager
async def started(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """This file as a program, killed at the end unless it has ended."""
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, __file__, str(folder), *arguments), stdin=asyncio.subprocess.PIPE, stderr=log
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(folder: Path, ready: str, live: str) -> None:
    """Waits for what the server says of itself."""
    async with asyncio.timeout(20):
        while not (folder / "port").exists() or not (port := (folder / "port").read_text()):
            await asyncio.sleep(0.02)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            for name, wanted in (("", ready), ("live", live)):
                request = health_pb2.HealthCheckRequest(service=name)
                while STATUS.Name((await check(request, wait_for_ready=True)).status) != wanted:
                    await asyncio.sleep(0.02)


def reasons(folder: Path) -> list[str]:
    """Why the engine could not be loaded, each time; every line of the log must be one event."""
    events = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    assert not any("exception" in event for event in events)
    return [event["why"] for event in events if "why" in event]


async def test_a_server_waits_for_its_weights(tmp_path: Path) -> None:
    async with started(tmp_path) as process:
        await until(tmp_path, "NOT_SERVING", "SERVING")
        async with asyncio.timeout(20):
            while len(reasons(tmp_path)) < 3:
                await asyncio.sleep(0.02)
        await until(tmp_path, "NOT_SERVING", "SERVING")
        (tmp_path / "weights").write_bytes(b"whole")
        await until(tmp_path, "SERVING", "SERVING")
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 20) == 0
    assert set(reasons(tmp_path)) == {f"the model in {tmp_path} cannot be used: missing or empty: weights"}


async def test_a_child_ends_when_its_engine_cannot_be_loaded(tmp_path: Path) -> None:
    async with started(tmp_path, "child") as process:
        assert await asyncio.wait_for(process.wait(), 20) == 1
    assert len(reasons(tmp_path)) == 1


async def test_settings_that_cannot_be_used_end_the_server_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ETBGM_STORE_URL", raising=False)
    async with started(tmp_path, "unset") as process:
        assert await asyncio.wait_for(process.wait(), 20) == 1
    assert reasons(tmp_path) == ["ETBGM_STORE_URL: Field required"]


def build(folder: Path, *arguments: str) -> Service:
    """For `process.run`; with "unset" the settings are those of the environment."""
    if "unset" in arguments:
        read(ServiceSettings)
    return service(folder, stop_with_parent="child" in arguments)


if __name__ == "__main__":
    process.LOAD_AGAIN_S = 0.2
    process.run(lambda: build(Path(sys.argv[1]), *sys.argv[2:]))
