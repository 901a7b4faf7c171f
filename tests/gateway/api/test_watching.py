"""A watch says that it lives, and goes on where it was, at any gateway."""

import itertools
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process


async def first(api: Api, job_id: str, after: int) -> pb.WatchJobResponse:
    """The first message of a watch."""
    call = api.stub.WatchJob(pb.WatchJobRequest(job_id=job_id, after_sequence=after))
    response = await call.read()
    call.cancel()
    assert isinstance(response, pb.WatchJobResponse)
    return response


async def test_a_job_that_does_not_change_is_sent_as_a_heartbeat(
    tmp_path: Path, services: FakeServices
) -> None:
    gateway = Gateway(tmp_path, services, watch_heartbeat_s="0.2").start()
    try:
        async with gateway.api() as api:
            job = await api.create(await api.video(), variants=1)
            with services.hold("Extract"):
                seen = []
                async for response in api.stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id)):
                    seen.append(response)
                    if sum(one.heartbeat for one in seen) == 3:
                        break
            assert not seen[0].heartbeat
            for before, after in itertools.pairwise(seen):
                assert after.heartbeat == (after.job.sequence == before.job.sequence)
                assert after.job.sequence >= before.job.sequence
    finally:
        gateway.kill()


async def test_a_watch_continues_after_a_sequence_number(api: Api) -> None:
    job = await api.run(await api.video(), variants=1)
    assert job.sequence > 1
    known = await first(api, job.job_id, job.sequence)
    assert known.heartbeat
    assert known.job == job
    missed = await first(api, job.job_id, job.sequence - 1)
    assert not missed.heartbeat
    updates = [r async for r in api.stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id))]
    assert [update.job.sequence for update in updates] == [job.sequence]


async def test_a_watch_continues_at_another_gateway(
    tmp_path: Path, services: FakeServices, postgresql_url: str
) -> None:
    one, other = (
        Gateway(tmp_path / name, services, postgresql_url, executor_id=name, executor_lease_s="2").start()
        for name in ("one", "other")
    )
    try:
        async with one.api() as here, other.api() as there:
            with services.hold("Extract"):
                job = await here.create(await here.video(), variants=1)
                watch = here.stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id))
                while (last := await watch.read()).job.state != pb.STATE_RUNNING or not last.job.stages:
                    pass
            one.kill()
            request = pb.WatchJobRequest(job_id=job.job_id, after_sequence=last.job.sequence)
            updates = [response async for response in there.stub.WatchJob(request)]
            assert updates[-1].job.state == pb.STATE_SUCCEEDED
            changes = [update.job.sequence for update in updates if not update.heartbeat]
            assert changes == sorted(changes)
            assert changes[0] > last.job.sequence
    finally:
        one.kill()
        other.kill()
