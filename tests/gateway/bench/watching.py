"""How late callers learn of a change, when a thousand watch."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime
from functools import partial
from typing import Any

import httpx2
import numpy as np

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.bench.claims import Claim
from tests.gateway.bench.places import Place, place
from tests.gateway.conftest import Api
from tests.servers import free_port

LATEST_S = 1.0
WATCHERS_PER_JOB, CHANNELS = 10, 20
PACE_S = 0.5

TIME = re.compile(r'"(?:start|end)Time": "([^"]+)"')

Changes = AsyncIterator[float]
"""Of each update, the latest of the job's times, in seconds since 1970."""


def claims(streams: int) -> Iterator[Claim]:
    """Watches over gRPC."""
    yield _claim("WatchJob", over_grpc, streams)


def events_claims(clients: int) -> Iterator[Claim]:
    """Watches over HTTP."""
    yield _claim("SSE over HTTP", over_http, clients)


def _claim(
    kind: str, measure: Callable[[Place, str, int], Coroutine[Any, Any, list[float]]], n: int
) -> Claim:
    address = f"127.0.0.1:{free_port()}"
    pace = {"FAKE_PACE_S": str(PACE_S)}
    with place(environment=pace, concurrent_jobs="8", http_address=address) as at:
        delays_s = asyncio.run(measure(at, address, n))
    p99_s, worst_s = float(np.quantile(delays_s, 0.99)), max(delays_s)
    detail = [f"{len(delays_s)} events, median {np.median(delays_s):.3f} s, worst {worst_s:.3f} s"]
    name = f"{kind}: p99 of an event's delay, {n} streams (s)"
    return Claim(name, p99_s, f"< {LATEST_S:g}", p99_s < LATEST_S, detail)


async def over_grpc(at: Place, _: str, streams: int) -> list[float]:
    """The delays of all events."""
    async with AsyncExitStack() as stack:
        apis = [await stack.enter_async_context(at.gateway.api()) for _ in range(CHANNELS)]

        async def changes(api: Api, job_id: str) -> Changes:
            async for response in api.stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
                job = response.job
                times = [job.start_time, job.end_time]
                times += [time for stage in job.stages for time in (stage.start_time, stage.end_time)]
                yield max(time.ToNanoseconds() * 1e-9 for time in times)

        return await _watched(at, apis[0], [partial(changes, api) for api in apis], streams)


async def over_http(at: Place, address: str, clients: int) -> list[float]:
    """The delays of all events."""
    limits = httpx2.Limits(max_connections=None)
    async with at.gateway.api() as api, httpx2.AsyncClient(timeout=60, limits=limits) as http:

        async def changes(job_id: str) -> Changes:
            async with http.stream("GET", f"http://{address}/v1/jobs/{job_id}:watch") as response:
                assert response.status_code == 200, response.status_code
                async for line in response.aiter_lines():
                    if line.startswith("data: {") and len(line) > len("data: {}"):
                        times = [datetime.fromisoformat(time).timestamp() for time in TIME.findall(line)]
                        yield max(times, default=0.0)

        return await _watched(at, api, [changes], clients)


async def _watched(
    at: Place, api: Api, watches: Sequence[Callable[[str], Changes]], streams: int
) -> list[float]:
    jobs = streams // WATCHERS_PER_JOB
    with at.services.hold("Extract"):
        job_ids = [(await api.create(await api.video(), variants=1)).job_id for _ in range(jobs)]
        opened, delays_s = asyncio.Semaphore(0), list[float]()
        watching = [
            asyncio.create_task(_watch(watches[i % len(watches)](job_ids[i % jobs]), opened, delays_s))
            for i in range(streams)
        ]
        async with asyncio.timeout(120):
            for _ in range(streams):
                await opened.acquire()
    async with asyncio.timeout(30 + 20 * PACE_S * jobs):
        await asyncio.gather(*watching)
    return delays_s


async def _watch(changes: Changes, opened: asyncio.Semaphore, delays_s: list[float]) -> None:
    known_s = await anext(changes)
    opened.release()
    async for changed_s in changes:
        if changed_s > known_s:
            delays_s.append(time.time() - changed_s)
            known_s = changed_s
