"""What it costs to fetch a video from elsewhere, and how soon a webhook hears of a job's end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

import numpy as np
import psutil
from aiohttp import web

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import webhooks_pb2, webhooks_pb2_grpc
from tests.gateway.bench.claims import Claim
from tests.gateway.bench.places import Place, Spent, place, spent_by
from tests.gateway.outgoing.test_sessions import serving

MOST_GROWTH_MB, MOST_CPU_S_PER_GB = 64.0, 10.0
LATEST_S = 2.0
PIECE = b" " * (1 << 20)
HERE = {
    "outgoing_networks": '["127.0.0.1/32"]',
    "outgoing_plain_http": "true",
    "sources": '["http://"]',
    "max_upload_bytes": str(1 << 31),
}


def claims(megabytes: int, jobs: int) -> Iterator[Claim]:
    """One large source, then many jobs with a webhook."""
    with place(on_postgresql=False, **HERE) as at:
        growth_mb, spent = asyncio.run(_fetched(at, megabytes))
    cpu_s = 1000 * spent.cpu_s / megabytes
    detail = [f"{megabytes / spent.wall_s:.0f} MB/s, the whole job over simulated engines included"]
    name = f"memory that the gateway needs more while it fetches {megabytes} MB (MB)"
    yield Claim(name, growth_mb, f"≤ {MOST_GROWTH_MB:g}", growth_mb <= MOST_GROWTH_MB)
    name, met = "processor time of the gateway for a GB that it fetches (s)", cpu_s <= MOST_CPU_S_PER_GB
    yield Claim(name, cpu_s, f"≤ {MOST_CPU_S_PER_GB:g}", met, detail)
    with place(concurrent_jobs="8", **HERE) as at:
        delays_s = asyncio.run(_told(at, jobs))
    p99_s = float(np.quantile(delays_s, 0.99))
    detail = [f"median {np.median(delays_s):.3f} s, worst {max(delays_s):.3f} s"]
    name = f"p99 from the end of a job to its webhook, {jobs} jobs (s)"
    yield Claim(name, p99_s, f"< {LATEST_S:g}", p99_s < LATEST_S, detail)


async def _fetched(at: Place, megabytes: int) -> tuple[float, Spent]:
    """The growth of the gateway's memory in MB at its highest, and what a job with such a source costs it."""
    process, peaks_mb = psutil.Process(at.gateway.pid), list[float]()

    async def pieces() -> AsyncIterator[bytes]:
        yield json.dumps({"duration_s": 10.0}).encode()
        for _ in range(megabytes):
            peaks_mb.append(process.memory_info().rss / 1e6)
            yield PIECE

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=pieces(), content_type="video/mp4")

    async with serving(answer) as port, at.gateway.api() as api:
        assert (await api.run(await api.video(), variants=1)).state == pb.STATE_SUCCEEDED
        before_mb = process.memory_info().rss / 1e6
        source = f"http://127.0.0.1:{port}/long.mp4"
        request = pb.CreateJobRequest(source_url=source, settings=pb.JobSettings(variants=1))
        with spent_by(at.gateway.pid) as spent:
            job = await api.finished((await api.stub.CreateJob(request)).job.job_id)
        assert job.state == pb.STATE_SUCCEEDED, job.error
    return max(peaks_mb) - before_mb, spent


async def _told(at: Place, jobs: int) -> list[float]:
    """Of each job, the seconds from its end until its webhook was called."""
    heard: dict[str, float] = {}

    async def hear(request: web.Request) -> web.Response:
        event = await request.json()
        heard.setdefault(event["data"]["jobId"], time.time())
        return web.Response()

    async with serving(hear) as port, at.gateway.api() as api:
        hooks = webhooks_pb2_grpc.WebhookServiceStub(api.channel)
        await hooks.RotateWebhookSecret(webhooks_pb2.RotateWebhookSecretRequest())
        video, url = await api.video(), f"http://127.0.0.1:{port}/hook"
        settings = pb.JobSettings(variants=1)
        request = pb.CreateJobRequest(video=video, settings=settings, webhook_url=url)
        names = [(await api.stub.CreateJob(request)).job.job_id for _ in range(jobs)]
        ended = {name: (await api.finished(name)).end_time.ToNanoseconds() * 1e-9 for name in names}
        async with asyncio.timeout(60):
            while len(heard) < jobs:
                await asyncio.sleep(0.1)
    return [heard[name] - ended[name] for name in names]
