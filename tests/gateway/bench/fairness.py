"""How long a second tenant waits while the first has a thousand jobs."""

import asyncio
from collections.abc import Iterator

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.bench.claims import Claim
from tests.gateway.bench.places import Place, place
from tests.gateway.bench.tenants import tenant, video

PACE_S = 1.0
"""Long compared with the interval at which the queue is polled."""
CREATING, CONCURRENT_JOBS = 8, 4


def claims(jobs: int) -> Iterator[Claim]:
    """The wait of the second tenant's first job."""
    pace = {"FAKE_PACE_S": str(PACE_S)}
    with place(environment=pace, concurrent_jobs=str(CONCURRENT_JOBS), with_keys=True) as at:
        waited_s, job_s, queued = asyncio.run(_wait(at, jobs))
    detail = [f"waited {waited_s:.2f} s with {queued} jobs in the queue; a job takes {job_s:.2f} s"]
    name = f"wait of a second tenant's first job behind {jobs} jobs, in jobs' times"
    yield Claim(name, waited_s / job_s, "≤ 1", waited_s <= job_s, detail)


async def _wait(at: Place, jobs: int) -> tuple[float, float, int]:
    """The wait of the other's job and the median time of a job, in seconds; the jobs that were queued."""
    async with tenant(at, "first") as first, tenant(at, "second") as second:
        mine, other, left = await video(first), await video(second), iter(range(1, jobs + 1))
        # The other jobs find most of their work, so that all take the same time.
        await first.wait((await first.create_job(mine, pb.JobSettings(variants=1, random_seed=0))).job_id)

        async def create() -> None:
            for i in left:
                await first.create_job(mine, pb.JobSettings(variants=1, random_seed=i))

        await asyncio.gather(*(create() for _ in range(CREATING)))
        job = await second.create_job(other, pb.JobSettings(variants=1))
        ended = await second.wait(job.job_id)
        assert ended.state == pb.STATE_SUCCEEDED
        theirs = [each for each in await first.list_jobs(jobs) if each.HasField("end_time")]
    times_s = [_between(each.start_time, each.end_time) for each in theirs]
    return _between(ended.create_time, ended.start_time), float(np.median(times_s)), jobs - len(theirs)


def _between(start: Timestamp, end: Timestamp) -> float:
    return float((end.ToNanoseconds() - start.ToNanoseconds()) * 1e-9)
