"""Other places for jobs and artifacts: PostgreSQL and S3, each in a server of its own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.conftest import FakeServices, Gateway

POSTGRES = Path("/usr/lib/postgresql/15/bin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server with an empty database; it refuses to be run by root."""
    if not (POSTGRES / "initdb").exists():
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    user = "postgres" if os.geteuid() == 0 else None
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="etbgm-postgres-"))
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    initdb: list[str | Path] = [POSTGRES / "initdb", "-D", data, "-U", "etbgm", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=folder)
    serve: list[str | Path] = [POSTGRES / "postgres", "-D", data, "-p", str(port), "-k", folder, "-F"]
    with subprocess.Popen(serve, stderr=subprocess.DEVNULL, user=user, cwd=folder) as server:
        try:
            ready: list[str | Path] = [POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            while subprocess.run(ready, check=False).returncode:
                assert server.poll() is None
                time.sleep(0.05)
            yield f"postgresql://etbgm@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
    shutil.rmtree(folder)


@pytest.fixture
def s3_environment() -> Iterator[dict[str, str]]:
    """An S3 server on loopback with the bucket "artifacts": what clients need to know."""
    address = f"127.0.0.1:{free_port()}"
    host, port = address.split(":")
    command = [sys.executable, "-m", "moto.server", "-H", host, "-p", port]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
        try:
            request = urllib.request.Request(f"http://{address}/artifacts", method="PUT")
            while True:
                try:
                    urllib.request.urlopen(request).close()
                    break
                except OSError:
                    assert server.poll() is None
                    time.sleep(0.1)
            yield {
                "AWS_ENDPOINT": f"http://{address}",
                "AWS_ALLOW_HTTP": "true",
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            }
        finally:
            server.terminate()


async def test_two_gateways_share_jobs_in_postgresql(
    tmp_path: Path, services: FakeServices, postgresql_url: str
) -> None:
    one = Gateway(tmp_path / "one", services, postgresql_url, "one")
    other = Gateway(tmp_path / "other", services, postgresql_url, "other")
    async with AsyncExitStack() as stack:
        stack.callback(one.start().stop)
        api = await stack.enter_async_context(one.api())
        job = await api.run(await api.video(), variants=2)
        assert job.state == pb.STATE_SUCCEEDED
        with services.hold("Mix"):
            held = await api.create(await api.video(), variants=1)
            await services.until("Mix", 3)
            stack.callback(other.start().stop)
            other_api = await stack.enter_async_context(other.api())
            await other_api.stub.CancelJob(pb.CancelJobRequest(job_id=held.job_id))
            await services.until("Mix cancelled")
        listed = (await other_api.stub.ListJobs(pb.ListJobsRequest())).jobs
        assert [job.job_id for job in listed] == [held.job_id, job.job_id]
        assert (await api.finished(held.job_id)).state == pb.STATE_CANCELLED


async def test_artifacts_in_s3(tmp_path: Path, s3_environment: dict[str, str]) -> None:
    services = FakeServices(tmp_path, "s3://artifacts/some/prefix", s3_environment)
    gateway = Gateway(tmp_path, services).start()
    try:
        async with gateway.api() as api:
            job = await api.run(await api.video(), variants=2)
            video = job.result.variants[0].video
            part = await api.read(video, offset_bytes=6, length_bytes=4)
    finally:
        gateway.stop()
        services.close()
    assert job.state == pb.STATE_SUCCEEDED
    assert video.uri.startswith("s3://artifacts/some/prefix/")
    assert part == b"with"
