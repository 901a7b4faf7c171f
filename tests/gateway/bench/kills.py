"""Jobs under random kills: none is lost, and no work is done twice.

Gateways share PostgreSQL and find the simulated engines, two of each kind, through a (fake) API server. One
process at a time is killed with SIGKILL, a gateway or an engine, and started again; jobs are created all the
time, each with a request id, by a caller that repeats the call until a gateway answers.
"""

import asyncio
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from unittest import mock

import grpc

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.api_server import api_server, pod, write_kubeconfig
from tests.gateway.bench.claims import Claim
from tests.gateway.bench.places import EVERY_ENGINE
from tests.gateway.conftest import Api, FakeServices, Gateway
from tests.servers import postgresql

GATEWAYS, REPLICAS = 3, 2
PACE_S = "0.3"
LEASE_S = "3"
DOWN_S = 0.5
CALL_S = 10.0
ENOUGH_S = 300.0
"""Time for the jobs that are left after the last kill."""


def claims(kills: int, jobs: int) -> Iterator[Claim]:
    """Lost jobs, doubled jobs and work that was done twice."""
    with tempfile.TemporaryDirectory(prefix="etbgm-bench-") as folder, postgresql() as url:
        place = Installation(Path(folder), url)
        try:
            ended = asyncio.run(place.run(kills, jobs))
        finally:
            place.close()
        twice = place.computed_twice()
    states = Counter(pb.State.Name(job.state) for job in ended)
    under = f"under {kills} kills of {jobs} jobs"
    lost = jobs - states["STATE_SUCCEEDED"]
    yield Claim(f"jobs lost or failed {under}", lost, "0", lost == 0, [str(dict(states))])
    doubled = len(ended) - jobs
    yield Claim(f"jobs doubled {under}", doubled, "0", doubled == 0)
    detail = [f"kills: {dict(place.killed)}", *twice[:5]]
    yield Claim(f"results computed twice {under}", len(twice), "0", not twice, detail)


class Installation:
    """Gateways and engines in processes of their own."""

    def __init__(self, folder: Path, job_store_url: str) -> None:
        self._folder, self._url = folder, job_store_url
        self._chance = random.Random(1)
        self._engines: dict[str, FakeServices] = {}
        self._gateways: dict[str, Gateway] = {}
        self._down: set[str] = set()
        self.killed: Counter[str] = Counter()

    async def run(self, kills: int, jobs: int) -> list[pb.Job]:
        """Kills while jobs are created; returns all jobs that there are in the end."""
        kubeconfig = self._folder / "kubeconfig"
        async with api_server() as server:
            self._server = server
            write_kubeconfig(kubeconfig, server.url)
            with mock.patch.dict(os.environ, {"KUBECONFIG": str(kubeconfig)}):
                for name in EVERY_ENGINE:
                    await asyncio.gather(*(self._start_engine(f"{name}-{i}") for i in range(REPLICAS)))
                for i in range(GATEWAYS):
                    await self._start_gateway(f"gateway-{i}")
                made = 0
                for kill in range(1, kills + 1):
                    due = jobs * kill // kills
                    await asyncio.gather(self._kill(), *(self._create(i) for i in range(made, due)))
                    made = due
                return await self._ended()

    def close(self) -> None:
        """Ends all processes."""
        for process in (*self._gateways.values(), *self._engines.values()):
            process.kill()

    def computed_twice(self) -> list[str]:
        """The names of results that were computed more than once."""
        names: Counter[str] = Counter()
        for notes in self._folder.glob("*/computed"):
            names.update(line.split()[2] for line in notes.read_text().splitlines())
        return [f"{count} × {name}" for name, count in names.items() if count > 1]

    async def _kill(self) -> None:
        name = self._chance.choice([*self._gateways, *self._engines])
        self.killed[name.split("-")[0]] += 1
        process = self._gateways.get(name) or self._engines[name]
        self._down.add(name)
        await asyncio.to_thread(process.kill)
        await asyncio.sleep(self._chance.uniform(0, DOWN_S))
        if name in self._gateways:
            await asyncio.to_thread(process.start)  # type: ignore[union-attr]
        else:
            self._server.delete(name)
            await self._start_engine(name)
        self._down.discard(name)

    async def _start_engine(self, name: str) -> None:
        service = name.split("-", maxsplit=1)[0]
        store = f"file://{self._folder}/store"
        pace = {"FAKE_PACE_S": PACE_S}
        fake = await asyncio.to_thread(FakeServices, self._folder / name, store, pace, service)
        self._engines[name] = fake
        host, port = fake.addresses[f"{service}_address"].split(":")
        self._server.put(name, [pod(host, uid=f"{name}-{port}")], ports={"grpc": int(port)})

    async def _start_gateway(self, name: str) -> None:
        some = next(iter(self._engines.values()))
        found = {f"{service}_address": f"kubernetes://etbgm/{service}:grpc" for service in EVERY_ENGINE}
        gateway = Gateway(self._folder / name, some, self._url, name, executor_lease_s=LEASE_S, **found)
        gateway.log = self._folder / f"{name}.log"
        self._gateways[name] = await asyncio.to_thread(gateway.start)

    async def _create(self, number: int) -> None:
        """Creates the job with this number, however often the call has to be repeated."""
        video = json.dumps({"duration_s": 10, "number": number}).encode()
        while True:
            with suppress(grpc.aio.AioRpcError, TimeoutError):
                async with self._api() as api:
                    artifact = await asyncio.wait_for(api.upload(video), CALL_S)
                    request = pb.CreateJobRequest(
                        video=artifact, settings=pb.JobSettings(variants=1), request_id=f"request-{number}"
                    )
                    await api.stub.CreateJob(request, timeout=CALL_S)
                    return
            await asyncio.sleep(0.2)

    def _api(self) -> AbstractAsyncContextManager[Api]:
        up = [name for name in self._gateways if name not in self._down] or list(self._gateways)
        return self._gateways[self._chance.choice(up)].api()

    async def _ended(self) -> list[pb.Job]:
        """All jobs once none is unfinished."""
        async with asyncio.timeout(ENOUGH_S), self._api() as api:
            while True:
                jobs, token = [], ""
                while True:
                    page = await api.stub.ListJobs(pb.ListJobsRequest(page_size=100, page_token=token))
                    jobs += page.jobs
                    token = page.next_page_token
                    if not token:
                        break
                if not any(job.state in (pb.STATE_QUEUED, pb.STATE_RUNNING) for job in jobs):
                    return jobs
                await asyncio.sleep(1)
