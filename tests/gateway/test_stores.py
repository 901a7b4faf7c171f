"""Other places for jobs and artifacts: PostgreSQL and S3, each in a server of its own."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.process


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
    assert video.uri.startswith("artifact://sha256/")
    assert part == b"with"
