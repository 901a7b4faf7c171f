"""Progress while the job store is away."""

import asyncio
from collections.abc import Iterable

import sqlalchemy as sa

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_gateway.pipeline.progress import Progress
from etbgm_gateway.store.holdings import Holdings
from etbgm_gateway.store.jobs import JobRow, JobStore


class FakeJobs(JobStore):
    """Is away for the first writes."""

    def __init__(self, away: int) -> None:
        self.away, self.kept = away, list[tuple[bytes, int]]()

    def keep_progress(self, job_id: str, stages: bytes, cues_left: int) -> None:
        if self.away:
            self.away -= 1
            raise sa.exc.OperationalError("", {}, Exception("starting up"))
        self.kept.append((stages, cues_left))


class FakeHoldings(Holdings):
    """Counts what is held."""

    def __init__(self) -> None:
        self.held = set[str]()

    def hold(self, tenant: str, holder: str, names: Iterable[str]) -> None:
        self.held |= {f"{tenant} {holder} {name}" for name in names}


JOB = JobRow("job", "request", "alice", b"", "RUNNING", 0.0, 0.0, None, 1, b"", 4, None, None)


async def test_it_is_written_when_the_store_is_back() -> None:
    jobs = FakeJobs(away=2)
    async with asyncio.timeout(10), Progress(jobs, FakeHoldings(), JOB) as progress:
        progress.begin(pb.STAGE_MIX)
        progress.cues(0)
        while not jobs.kept:
            await asyncio.sleep(0.01)
    stages, cues_left = jobs.kept[0]
    assert [stage.stage for stage in pb.Job.FromString(stages).stages] == [pb.STAGE_MIX]
    assert cues_left == 0


async def test_a_store_that_stays_away_fails_no_job() -> None:
    jobs = FakeJobs(away=1000)
    async with Progress(jobs, FakeHoldings(), JOB) as progress:
        progress.begin(pb.STAGE_MIX)
    assert not jobs.kept


async def test_what_a_job_holds_is_written_once() -> None:
    holdings = FakeHoldings()
    async with Progress(FakeJobs(away=0), holdings, JOB) as progress:
        progress.hold(["a", "b"])
        progress.hold(["b"])
    assert holdings.held == {"alice job a", "alice job b"}
