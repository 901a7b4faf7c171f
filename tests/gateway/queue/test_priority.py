"""Priorities order the jobs of one tenant, and jobs tell their place and the queue its figures."""

import asyncio
from pathlib import Path

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import queue_pb2
from etbgm.media.v1 import media_pb2
from etbgm_client import AsyncClient
from tests.gateway.conftest import Api, FakeServices, Gateway, refused
from tests.gateway.identity.test_identity import tenant, upload

pytestmark = pytest.mark.process


async def created(client: AsyncClient, video: media_pb2.Artifact, priority: int) -> str:
    settings = pb.JobSettings(variants=1)
    return (await client.create_job(video, settings, priority=priority)).job_id


async def places(client: AsyncClient, job_ids: list[str]) -> list[int]:
    return [(await client.get_job(job_id)).queue_position for job_id in job_ids]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_priority_passes_only_the_tenants_own_jobs(
    tmp_path: Path, services: FakeServices, kind: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgresql_url") if kind == "postgresql" else ""
    settings = {"key_file": str(tmp_path / "gateway" / "key"), "concurrent_jobs": "1"}
    gateway = Gateway(tmp_path / "gateway", services, url, **settings).start()
    try:
        async with tenant(gateway, "alice") as alice, tenant(gateway, "bob") as bob:
            video, other = await upload(alice, tmp_path), await upload(bob, tmp_path)
            with services.hold("Extract"):
                await created(alice, video, 0)
                await services.until("Extract")
                low = [await created(alice, video, 0) for _ in range(3)]
                bobs = [await created(bob, other, 0) for _ in range(2)]
                before = await places(bob, bobs)
                high = await created(alice, video, 50)
                middle = await created(alice, video, 20)
                order = await places(alice, [high, middle, *low])
                assert order == sorted(order)
                after = await places(bob, bobs)
                assert all(now <= then for now, then in zip(after, before, strict=True))
                stats = await bob._stub.GetQueueStats(
                    queue_pb2.GetQueueStatsRequest(), metadata=bob._metadata
                )
                assert (stats.queued_jobs, stats.running_jobs) == (2, 0)
                assert not stats.HasField("total_queued_jobs")
            async with asyncio.timeout(60):
                ended = [await alice.wait(job_id) for job_id in (high, middle, *low)]
            starts = [job.start_time.ToNanoseconds() for job in ended]
            assert starts == sorted(starts)
    finally:
        gateway.kill()


async def test_the_operator_sees_all_jobs(api: Api, services: FakeServices) -> None:
    await api.run(await api.video(), variants=1)
    with services.hold("Extract"):
        job = await api.create(await api.video(), variants=1)
        async with asyncio.timeout(10):
            while True:
                stats = await api.stub.GetQueueStats(queue_pb2.GetQueueStatsRequest())
                if stats.HasField("run_time_per_variant_second"):
                    break
                await asyncio.sleep(0.1)
        assert stats.queued_jobs + stats.running_jobs >= 1
        assert stats.total_queued_jobs + stats.total_running_jobs >= stats.queued_jobs + stats.running_jobs
        assert stats.run_time_per_variant_second.ToNanoseconds() > 0
        listed = (await api.stub.ListJobs(pb.ListJobsRequest(page_size=1))).jobs[0]
        assert listed.job_id == job.job_id
        assert not listed.HasField("queue_position")


@pytest.mark.parametrize("priority", [-1, 101])
async def test_a_priority_out_of_range_is_refused(api: Api, priority: int) -> None:
    request = pb.CreateJobRequest(video=await api.video(), priority=priority)
    error = await refused(api.stub.CreateJob(request), grpc.StatusCode.INVALID_ARGUMENT)
    assert list(error.fields) == ["priority"]
