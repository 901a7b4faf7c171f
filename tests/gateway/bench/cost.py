"""What a job costs the gateway itself when all of its work is found."""

import asyncio
from collections.abc import Iterator

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.bench.claims import Claim
from tests.gateway.bench.places import Place, place, spent_by

MOST_MS = 100.0
AT_ONCE = 8
VARIANTS = 4


def claims(jobs: int) -> Iterator[Claim]:
    """On both databases."""
    for database in ("PostgreSQL", "SQLite"):
        with place(on_postgresql=database == "PostgreSQL", concurrent_jobs="8") as at:
            cpu_ms, wall_s = asyncio.run(_cost(at, jobs))
        name = f"processor time of a job that is found, {VARIANTS} variants, {database} (ms)"
        detail = [f"{jobs} jobs, {jobs / wall_s:.1f} a second"]
        yield Claim(name, cpu_ms, f"≤ {MOST_MS:g}", cpu_ms <= MOST_MS, detail)


async def _cost(at: Place, jobs: int) -> tuple[float, float]:
    """Milliseconds of processor time per job, and seconds for all."""
    async with at.gateway.api() as api:
        video = await api.video()
        first = await api.run(video, variants=VARIANTS)
        assert first.state == pb.STATE_SUCCEEDED
        left = iter(range(jobs))

        async def caller() -> None:
            for _ in left:
                job = await api.run(video, variants=VARIANTS)
                assert job.state == pb.STATE_SUCCEEDED
                assert all(stage.found for stage in job.stages), job.stages

        with spent_by(at.gateway.pid) as spent:
            await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    return 1000 * spent.cpu_s / jobs, spent.wall_s
