"""Tenants share the queue by weight."""

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import ApiError
from etbgm_gateway.queue.fairness import next_turn
from etbgm_gateway.store.database import connect
from etbgm_gateway.store.jobs import JobStore, NewJob
from tests.gateway.conftest import FakeServices, Gateway
from tests.gateway.identity.test_identity import tenant, upload

pytestmark = pytest.mark.process


def order_of(folder: Path, weights: dict[str, float], *tenants: str) -> list[str]:
    """The tenants in the order in which their jobs, added in this order at once, would start."""
    jobs = JobStore(connect(f"sqlite:///{folder}/jobs.sqlite"))
    for i, name in enumerate(tenants):

        def turn(connection: sa.Connection, _job_id: str, name: str = name) -> int:
            return next_turn(connection, name, weights)

        jobs.add(NewJob(name, f"request-{i}", b"", b"", 1), turn)
    query = sa.text("SELECT tenant FROM jobs ORDER BY turn, job_id")
    with jobs._engine.connect() as connection:
        return list(connection.execute(query).scalars())


def test_a_tenant_with_many_jobs_delays_no_other(tmp_path: Path) -> None:
    order = order_of(tmp_path, {}, *["alice"] * 100, *["bob"] * 3)
    assert "".join(name[0] for name in order[:8]) == "abababaa"


def test_weights_are_shares(tmp_path: Path) -> None:
    order = order_of(tmp_path, {"alice": 2}, *["alice"] * 20, *["bob"] * 20)
    assert 9 <= order[:15].count("alice") <= 11


async def test_the_second_tenants_first_job_starts_next(tmp_path: Path, services: FakeServices) -> None:
    folder = tmp_path / "gateway"
    settings = {"key_file": str(folder / "key"), "concurrent_jobs": "1"}
    gateway = Gateway(folder, services, **settings).start()
    try:
        async with tenant(gateway, "alice") as alice, tenant(gateway, "bob") as bob:
            video = await upload(alice, tmp_path)
            with services.hold("Extract"):
                jobs = [await alice.create_job(video, pb.JobSettings(variants=1)) for _ in range(8)]
                await services.until("Extract")
                other = await bob.create_job(await upload(bob, tmp_path), pb.JobSettings(variants=1))
            async with asyncio.timeout(60):
                done = await bob.wait(other.job_id)
                ended = [await alice.wait(job.job_id) for job in jobs]
            earlier = sum(job.start_time.ToNanoseconds() < done.start_time.ToNanoseconds() for job in ended)
            assert earlier <= 2
    finally:
        gateway.kill()


@pytest.mark.parametrize(
    ("quota", "limit"),
    [
        ({"tenant_jobs_per_minute": "2"}, "2 jobs a minute"),
        ({"tenant_unfinished_jobs": "2"}, "2 queued and running jobs"),
        ({"tenant_video_s_per_day": "12"}, "12 s of video a day"),
    ],
)
async def test_a_used_up_quota_is_named_with_a_time_to_retry(
    tmp_path: Path, services: FakeServices, quota: dict[str, str], limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etbgm_client.aio.CALL_S", 5.0)
    folder = tmp_path / "gateway"
    gateway = Gateway(folder, services, key_file=str(folder / "key"), **quota).start()
    try:
        async with tenant(gateway, "alice") as alice, tenant(gateway, "bob") as bob:
            with services.hold("Extract"):
                video = await upload(alice, tmp_path)
                for _ in range(2):
                    await alice.create_job(video, pb.JobSettings(variants=1))
                with pytest.raises(ApiError) as caught:
                    await alice.create_job(video, pb.JobSettings(variants=1))
                assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
                assert limit in str(caught.value)
                assert (caught.value.retry_after_s or 0) > 5
                await bob.create_job(await upload(bob, tmp_path), pb.JobSettings(variants=1))
    finally:
        gateway.kill()
