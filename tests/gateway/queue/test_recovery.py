"""Gateways that are killed or stopped while jobs run, and started again."""

import asyncio
import time

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.drill

ONCE = {"Extract": 1, "Separate": 1, "Transcribe": 1, "Analyze": 1, "Generate": 2, "Mix": 2}
"""Calls of a job with two variants that nobody interrupts."""


async def test_a_job_survives_kills_in_four_stages_and_reruns_no_finished_one(
    gateway: Gateway, services: FakeServices
) -> None:
    async with gateway.api() as api:
        video = await api.video()
    job_id = ""
    killed_in = ("Extract", "Transcribe", "Generate", "Mix")
    for method in killed_in:
        with services.hold(method):
            async with gateway.api() as api:
                job_id = job_id or (await api.create(video, variants=2)).job_id
                await services.until(method, ONCE[method])
            gateway.kill()
        gateway.start()
    async with gateway.api() as api:
        job = await api.finished(job_id)
    assert job.state == pb.STATE_SUCCEEDED
    assert [stage.stage for stage in job.stages] == [1, 2, 3, 4, 5, 6]
    expected = {method: calls * (2 if method in killed_in else 1) for method, calls in ONCE.items()}
    assert {method: services.seen[method] for method in ONCE} == expected


async def test_a_stopped_gateway_ends_soon_and_running_and_queued_jobs_go_on(
    gateway: Gateway, services: FakeServices
) -> None:
    with services.hold("Separate"):
        async with gateway.api() as api:
            jobs = [await api.create(await api.video(), variants=1) for _ in range(6)]
            await services.until("Separate", 4)
        started = time.monotonic()
        assert await asyncio.to_thread(gateway.stop) == 0
        assert time.monotonic() - started < 5
    gateway.start()
    async with gateway.api() as api:
        states = [(await api.finished(job.job_id)).state for job in jobs]
    assert states == [pb.STATE_SUCCEEDED] * 6
    assert (services.seen["Extract"], services.seen["Separate"]) == (6, 4 + 6)
