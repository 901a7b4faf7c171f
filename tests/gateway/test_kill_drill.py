"""A drill: while fifty jobs run, one process of every service and one gateway are killed."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.api_server import FakeApiServer, api_server, pod, write_kubeconfig
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.drill

JOBS = 50
KILLED_IN = {"mixer": "Extract", "stt": "Transcribe", "sentiment": "Analyze", "riffusion": "Generate"}
"""Which of a service's calls are on their way when it is killed."""
NOTICED_S = 0.3
"""Time until the API server says that a killed pod is not ready."""
ENOUGH_S = 60.0


class Cluster:
    """Pods of the four services, two of each, found through a (fake) API server."""

    def __init__(self, folder: Path, server: FakeApiServer) -> None:
        self._folder, self._server = folder, server
        self._pods: dict[str, FakeServices] = {}

    async def add(self, name: str) -> None:
        """Starts the pod and tells of it; the service's name comes before the last dash."""
        service, folder = name.rsplit("-", 1)[0], self._folder / name
        arguments = (folder, f"file://{self._folder}/store", {}, service)
        self._pods[name] = await asyncio.to_thread(FakeServices, *arguments)
        host, port = self._pods[name].addresses[f"{service}_address"].split(":")
        self._server.put(name, [pod(host, uid=name)], ports={"grpc": int(port)})

    def hold(self, service: str, method: str) -> ExitStack:
        """Holds the calls of `method`, until it is closed, at the pods that the service has now."""
        held = ExitStack()
        for name in [name for name in self._pods if name.startswith(f"{service}-")]:
            held.enter_context(self._pods[name].hold(method))
        return held

    async def kill(self, service: str, method: str) -> None:
        """Kills a pod that has calls of `method`."""
        victim = self._pods.pop(f"{service}-1")
        await victim.until(method, 2)
        victim.kill()
        await asyncio.sleep(NOTICED_S)
        self._server.delete(f"{service}-1")

    async def mixing(self) -> None:
        """Waits until somebody mixes."""
        await self._pods["mixer-2"].until("Mix", 1)

    def gateway(self, name: str, job_store_url: str) -> Gateway:
        """A gateway that finds all services through the API server; not started."""
        some = next(iter(self._pods.values()))
        found = {f"{service}_address": f"kubernetes://etbgm/{service}:grpc" for service in KILLED_IN}
        return Gateway(self._folder / name, some, job_store_url, name, executor_lease_s="3", **found)

    def close(self) -> None:
        for fake in self._pods.values():
            fake.kill()


@pytest.fixture
async def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    async with api_server() as server:
        write_kubeconfig(tmp_path / "kubeconfig", server.url)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        cluster = Cluster(tmp_path, server)
        try:
            await asyncio.gather(*(cluster.add(f"{service}-{i}") for service in KILLED_IN for i in (1, 2)))
            yield cluster
        finally:
            cluster.close()


async def test_a_killed_process_of_each_kind_loses_no_job(cluster: Cluster, postgresql_url: str) -> None:
    gateways = [cluster.gateway(name, postgresql_url) for name in ("one", "other")]
    async with AsyncExitStack() as stack:
        for gateway in gateways:
            # It asks this event loop for the replicas before it is ready.
            await asyncio.to_thread(gateway.start)
            stack.callback(gateway.kill)
        one, other = [await stack.enter_async_context(gateway.api()) for gateway in gateways]
        held = {service: cluster.hold(service, method) for service, method in KILLED_IN.items()}
        mixing = cluster.hold("mixer", "Mix")
        apis = itertools.cycle((one, other))
        jobs = [await api.create(await api.video(), variants=1) for api in itertools.islice(apis, JOBS)]
        for service, method in KILLED_IN.items():
            await cluster.kill(service, method)
            held[service].close()
            await cluster.add(f"{service}-3")
        await cluster.mixing()
        gateways[0].kill()
        mixing.close()
        async with asyncio.timeout(ENOUGH_S):
            ended = [await other.finished(job.job_id) for job in jobs]
    assert [job.state for job in ended] == [pb.STATE_SUCCEEDED] * JOBS
    assert all(len(job.result.variants) == 1 and len(job.stages) == 6 for job in ended)
