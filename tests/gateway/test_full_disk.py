"""Jobs wait while a disk is full."""

import asyncio
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_kit.serving.status import RemoteError
from tests.conftest import TINY_DISK_BYTES
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process


async def waiting(api: Api, job_id: str) -> pb.Job:
    """The job once it waits for space."""
    async with asyncio.timeout(20):
        async for response in api.stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
            if any(stage.waiting_for == "storage" for stage in response.job.stages):
                return response.job
    raise AssertionError("the job ended")


async def test_a_job_goes_on_when_there_is_space_again(tiny_disk: Path, tmp_path: Path) -> None:
    services = FakeServices(tmp_path / "services", f"file://{tiny_disk}/store", {})
    gateway = Gateway(tmp_path / "gateway", services).start()
    filler = tiny_disk / "filler"
    try:
        async with gateway.api() as api:
            with services.hold("Extract"):
                job = await api.create(await api.video(), variants=1)
                await services.until("Extract")
                with pytest.raises(OSError, match="No space"):
                    filler.write_bytes(bytes(2 * TINY_DISK_BYTES))
            assert (await waiting(api, job.job_id)).state == pb.STATE_RUNNING
            filler.unlink()
            assert (await api.finished(job.job_id)).state == pb.STATE_SUCCEEDED
    finally:
        gateway.kill()
        services.close()


async def test_a_job_fails_when_the_disk_stays_full(tiny_disk: Path, tmp_path: Path) -> None:
    services = FakeServices(tmp_path / "services", f"file://{tiny_disk}/store", {})
    gateway = Gateway(tmp_path / "gateway", services, full_disk_wait_s="0").start()
    try:
        async with gateway.api() as api:
            with services.hold("Extract"):
                job = await api.create(await api.video(), variants=1)
                await services.until("Extract")
                with pytest.raises(OSError, match="No space"):
                    (tiny_disk / "filler").write_bytes(bytes(2 * TINY_DISK_BYTES))
            job = await api.finished(job.job_id)
    finally:
        gateway.kill()
        services.close()
    assert job.state == pb.STATE_FAILED
    assert RemoteError(job.error).status_code == "RESOURCE_EXHAUSTED"
    assert "the artifact store" in job.error.message
    assert str(tiny_disk) not in str(job.error)
