"""Real gateways in processes of their own, over fake services in another."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import gateway_pb2_grpc
from etbgm.media.v1 import media_pb2
from etbgm_client import ApiError

START_S = 30.0
_numbers = itertools.count()


class FakeServices:
    """The process of fakes.py; `seen` counts the calls since `forget`."""

    def __init__(self, folder: Path, store_url: str, environment: dict[str, str], *names: str) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "addresses").unlink(missing_ok=True)
        self.folder, self.store_url, self.environment = folder, store_url, environment
        command: list[str | Path] = [sys.executable, "-m", "tests.gateway.fakes", folder, store_url, *names]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, env={**os.environ, **environment}, cwd=Path(__file__).parents[2]
        )
        self.addresses: dict[str, str] = json.loads(_appeared(folder / "addresses", self._process))
        self._old: Counter[str] = Counter()

    @property
    def seen(self) -> Counter[str]:
        calls = self.folder / "calls"
        return Counter(calls.read_text().splitlines() if calls.exists() else []) - self._old

    def forget(self) -> None:
        self._old = self.seen + self._old

    @contextmanager
    def hold(self, method: str) -> Iterator[None]:
        """Calls of `method` do not end while the context lasts."""
        file = self.folder / f"hold.{method}"
        file.touch()
        try:
            yield
        finally:
            file.unlink()

    async def until(self, what: str, times: int = 1) -> None:
        """Waits for so many notes of `what`."""
        async with asyncio.timeout(START_S):
            while self.seen[what] < times:
                await asyncio.sleep(0.01)

    def close(self) -> None:
        self._process.communicate()

    def pause(self) -> None:
        """SIGSTOP: connections stay, and nobody answers."""
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.communicate()


class Api:
    """The gateway's stub and what tests often do with it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.stub = gateway_pb2_grpc.GatewayServiceStub(channel)

    async def upload(self, data: bytes, media_type: str = "") -> media_pb2.Artifact:
        opening = pb.UploadOpening(
            upload_id=f"upload-{time.time_ns()}-{next(_numbers)}", size_bytes=len(data), media_type=media_type
        )
        parts = [pb.UploadVideoRequest(opening=opening), pb.UploadVideoRequest(data=data)]
        return (await self.stub.UploadVideo(iter(parts))).video

    async def video(self, duration_s: float = 10.0, **holds: object) -> media_pb2.Artifact:
        """A new fake video, different from all before it."""
        return await self.upload(
            json.dumps(
                {"duration_s": duration_s, **holds, "number": f"{time.time_ns()} {next(_numbers)}"}
            ).encode()
        )

    async def create(self, video: media_pb2.Artifact, **settings: Any) -> pb.Job:
        request = pb.CreateJobRequest(video=video, settings=pb.JobSettings(**settings))
        return (await self.stub.CreateJob(request)).job

    async def finished(self, job_id: str) -> pb.Job:
        """The job once it is finished."""
        async with asyncio.timeout(START_S):
            async for response in self.stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
                job = response.job
        return job

    async def run(self, video: media_pb2.Artifact, **settings: Any) -> pb.Job:
        return await self.finished((await self.create(video, **settings)).job_id)

    async def remixed(self, parent: pb.Job, **request: Any) -> pb.Job:
        """The finished remix."""
        response = await self.stub.RemixJob(pb.RemixJobRequest(job_id=parent.job_id, **request))
        job = await self.finished(response.job.job_id)
        assert job.state == pb.STATE_SUCCEEDED, job.error
        return job

    async def read(self, artifact: media_pb2.Artifact, **part: int) -> bytes:
        request = pb.DownloadArtifactRequest(uri=artifact.uri, **part)
        return b"".join([block.data async for block in self.stub.DownloadArtifact(request)])


async def refused(call: Awaitable[object], code: grpc.StatusCode) -> ApiError:
    """The error of a call that the gateway refuses with `code`."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() == code
    return ApiError.of(caught.value)


class Gateway:
    """A gateway's process, which can be killed and started again on the same database."""

    def __init__(
        self,
        folder: Path,
        services: FakeServices,
        job_store_url: str = "",
        executor_id: str = "one",
        **others: str,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self._port_file = folder, folder / "port"
        self.log: Path | None = None
        """Where its log goes; to the test's own standard error when None."""
        settings = {
            **services.addresses,
            "store_url": services.store_url,
            "job_store_url": job_store_url or f"sqlite:///{folder}/jobs.sqlite",
            "executor_id": executor_id,
            "listen_address": "127.0.0.1:0",
            "scaler_address": f"unix:{folder}/scaler.sock",
            "port_file": str(self._port_file),
            "stop_with_parent": "true",
            "uploads_dir": str(folder / "uploads"),
            "max_upload_bytes": str(4 << 20),
            "drain_s": "0.5",
            **others,
        }
        self._environment = {
            **os.environ,
            **services.environment,
            **{f"ETBGM_{name.upper()}": value for name, value in settings.items()},
        }

    def start(self) -> "Gateway":
        self._port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "etbgm_gateway"]
        log = self.log.open("ab") if self.log else None
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log, env=self._environment)
        self._port = _appeared(self._port_file, self._process)
        return self

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.communicate()

    def pause(self) -> None:
        """SIGSTOP: it lives, and does nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; its exit status."""
        self._process.terminate()
        self._process.communicate(timeout=20)
        return self._process.returncode

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def scaler_address(self) -> str:
        return f"unix:{self.folder}/scaler.sock"

    @asynccontextmanager
    async def api(self) -> AsyncIterator[Api]:
        async with grpc.aio.insecure_channel(self.address) as channel:
            yield Api(channel)


def _appeared(path: Path, process: "subprocess.Popen[bytes]") -> str:
    ends_at = time.monotonic() + START_S
    while not (path.exists() and path.read_text()):
        assert process.poll() is None, "the process ended before it was ready"
        assert time.monotonic() < ends_at, f"{path.name} did not appear"
        time.sleep(0.02)
    return path.read_text()


@pytest.fixture(scope="session")
def shared_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeServices]:
    folder = tmp_path_factory.mktemp("services")
    services = FakeServices(folder, f"file://{folder}/store", {})
    yield services
    services.close()


@pytest.fixture
def services(shared_services: FakeServices) -> FakeServices:
    """The fake services, as if nobody had called them yet."""
    shared_services.forget()
    return shared_services


@pytest.fixture(scope="session")
def shared_gateway(
    tmp_path_factory: pytest.TempPathFactory, shared_services: FakeServices
) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), shared_services).start()
    yield gateway
    assert gateway.stop() == 0


@pytest.fixture
async def api(shared_gateway: Gateway) -> AsyncIterator[Api]:
    """A client of a gateway that other tests use too; jobs that a test leaves are cancelled."""
    async with shared_gateway.api() as api:
        yield api
        unfinished = pb.ListJobsRequest(page_size=100, states=[pb.STATE_QUEUED, pb.STATE_RUNNING])
        for job in (await api.stub.ListJobs(unfinished)).jobs:
            await api.stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))


@pytest.fixture
def gateway(tmp_path: Path, services: FakeServices) -> Iterator[Gateway]:
    """A gateway of the test's own."""
    gateway = Gateway(tmp_path, services).start()
    yield gateway
    gateway.kill()
