"""Work that is found costs no durable steps."""

import sqlite3

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.conftest import Gateway

pytestmark = pytest.mark.process


async def test_calls_that_find_their_results_are_not_recorded(gateway: Gateway) -> None:
    async with gateway.api() as api:
        video = await api.video()
        jobs = [await api.run(video, variants=2) for _ in range(2)]
    assert [job.state for job in jobs] == [pb.STATE_SUCCEEDED] * 2
    with sqlite3.connect(gateway.folder / "jobs.sqlite") as database:
        count = "SELECT count(*) FROM operation_outputs WHERE workflow_uuid = ?"
        computed, found = (database.execute(count, (job.job_id,)).fetchone()[0] for job in jobs)
    assert computed >= 9
    assert found <= 2
