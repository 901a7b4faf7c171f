"""A database that refuses one of a job's writes: no job is lost, none waits or runs for ever."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_kit.serving.status import error_from_rpc
from tests.gateway.conftest import Api, FakeServices, Gateway
from tests.gateway.observe.test_scaler import cues
from tests.gateway.refusals import Refusals

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def refusals(either_url: str) -> Iterator[Refusals]:
    refusals = Refusals(either_url)
    yield refusals
    refusals.close()


@pytest.fixture(scope="module")
def shared_gateway(
    refusals: Refusals, tmp_path_factory: pytest.TempPathFactory, shared_services: FakeServices
) -> Iterator[Gateway]:
    """The gateway of `api`."""
    folder = tmp_path_factory.mktemp("gateway")
    gateway = Gateway(folder, shared_services, refusals.url, executor_lease_s="1.5")
    gateway.log = folder / "log"
    yield gateway.start()
    gateway.kill()


@pytest.fixture
def log(shared_gateway: Gateway) -> Path:
    """The gateway's log."""
    assert shared_gateway.log
    return shared_gateway.log


async def fails(call: Any) -> str:
    """The id of the internal error that `call` ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return id_of(error_from_rpc(caught.value).status)


def id_of(status: Any) -> str:
    """The id of an internal error."""
    assert status.code == code_pb2.INTERNAL
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return info.metadata["error_id"]


async def request(api: Api) -> pb.CreateJobRequest:
    return pb.CreateJobRequest(
        video=await api.video(), request_id=f"request-{time.time_ns()}", settings=pb.JobSettings(variants=1)
    )


async def job_ids(api: Api) -> list[str]:
    return [job.job_id for job in (await api.stub.ListJobs(pb.ListJobsRequest())).jobs]


async def test_a_job_that_cannot_be_queued_is_not_there_and_can_be_asked_for_again(
    refusals: Refusals, api: Api, shared_gateway: Gateway, log: Path
) -> None:
    asked, before = await request(api), await job_ids(api)
    with refusals.of("INSERT", refusals.workflows):
        assert await fails(api.stub.CreateJob(asked)) in log.read_text()
        assert await job_ids(api) == before
        assert await cues(shared_gateway) == 0
    job = (await api.stub.CreateJob(asked)).job
    assert (await api.finished(job.job_id)).state == pb.STATE_SUCCEEDED


@pytest.mark.parametrize("either_url", ["postgresql"], indirect=True)
async def test_a_gateway_that_is_killed_while_it_queues_a_job_leaves_none(
    refusals: Refusals, api: Api, tmp_path: Path, services: FakeServices
) -> None:
    asked, before = await request(api), await job_ids(api)
    killed = Gateway(tmp_path, services, refusals.url, "killed").start()
    async with killed.api() as its_api:
        with refusals.hold(refusals.workflows):
            call = its_api.stub.CreateJob(asked)
            await refusals.held("INSERT")
            killed.kill()
            call.cancel()
    assert await job_ids(api) == before
    job = (await api.stub.CreateJob(asked)).job
    assert (await api.finished(job.job_id)).state == pb.STATE_SUCCEEDED


async def test_a_cancellation_that_failed_is_made_by_the_next(
    refusals: Refusals, api: Api, services: FakeServices
) -> None:
    with services.hold("Mix"):
        cancel = pb.CancelJobRequest(job_id=(await api.create(await api.video(), variants=1)).job_id)
        await services.until("Mix")
        with refusals.of("UPDATE", refusals.workflows, "NEW.status = 'CANCELLED'"):
            await fails(api.stub.CancelJob(cancel))
        cancelled = (await api.stub.CancelJob(cancel)).job
        await services.until("Mix cancelled")
        assert cancelled.state == pb.STATE_CANCELLED
        assert (await api.stub.CancelJob(cancel)).job == cancelled


@pytest.mark.parametrize("others", [0, 4])
async def test_a_cancellation_that_broke_off_halfway_is_completed(
    refusals: Refusals, api: Api, services: FakeServices, others: int
) -> None:
    """With four others the job is still queued."""
    with services.hold("Extract"):
        jobs = [await api.create(await api.video(), variants=1) for _ in range(others + 1)]
        await services.until("Extract", others or 1)
        cancel = pb.CancelJobRequest(job_id=jobs[-1].job_id)
        with refusals.of("UPDATE", "jobs", "NEW.state = 'CANCELLED'"):
            await fails(api.stub.CancelJob(cancel))
        assert (await api.finished(cancel.job_id)).state == pb.STATE_CANCELLED


async def test_a_job_whose_result_cannot_be_written_fails(refusals: Refusals, api: Api, log: Path) -> None:
    with refusals.of("UPDATE", "jobs", "NEW.state = 'SUCCEEDED'"):
        job = await api.run(await api.video(), variants=1)
    assert job.state == pb.STATE_FAILED
    assert id_of(job.error) in log.read_text()


async def test_a_job_whose_end_cannot_be_written_fails_later(refusals: Refusals, api: Api, log: Path) -> None:
    with refusals.of("UPDATE", "jobs", "NEW.state <> OLD.state"):
        job = await api.create(await api.video(), variants=1)
        await refusals.broken_off(job.job_id)
    job = await api.finished(job.job_id)
    assert job.state == pb.STATE_FAILED
    assert id_of(job.error) in log.read_text()
