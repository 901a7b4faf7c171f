"""A drill: the music service grows from one replica to eight and shrinks to one, under load.

Replicas are real servers on loopback addresses of their own, found through a (fake) API
server as in a cluster, and stopped as Kubernetes stops pods. Nobody retries. What it measured:
`pytest --log-cli-level=INFO`.
"""

import asyncio
import itertools
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import pytest
from kubernetes.aio.client import Configuration

from etbgm.riffusion.v1 import riffusion_pb2, riffusion_pb2_grpc
from etbgm_gateway.upstream.discovery.endpoint_slices import EndpointSlices
from etbgm_gateway.upstream.discovery.target import Target
from etbgm_gateway.upstream.replicas import Replicas
from etbgm_kit.serving.interceptor import Context
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Server, Service
from etbgm_kit.serving.settings import ServiceSettings
from tests.gateway.api_server import FakeApiServer, api_server, pod
from tests.servers import free_port

pytestmark = pytest.mark.drill

log = logging.getLogger(__name__)

MOST, CLIENTS, CALLS_PER_REPLICA = 8, 40, 2
PHASE_S = 6.0
"""Load before, between and after the changes."""
PRE_STOP_S = 1.0
"""Between the news that a pod is terminating and SIGTERM, as the manifests' preStop hook has it."""
USED_WITHIN_S = 5.0


class FakeRiffusion(riffusion_pb2_grpc.RiffusionServiceServicer):
    """Takes up to a second for a cue; remembers which."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.rendered: list[int] = []
        self.first_call_at = 0.0

    async def Generate(
        self, request: riffusion_pb2.GenerateRequest, context: Context
    ) -> AsyncIterator[riffusion_pb2.GenerateResponse]:
        self.first_call_at = self.first_call_at or time.monotonic()
        self.rendered.append(request.random_seed)

        def work(_: Callable[[float], None]) -> None:
            time.sleep(random.uniform(0.1, 1.0))

        async for _ in self._runner.run(work):
            pass
        yield riffusion_pb2.GenerateResponse(result=riffusion_pb2.GenerateResult(style="ambient"))


@dataclass
class Pod:
    """A replica with an address of its own."""

    address: str
    port: int
    ready_at: float = 0.0
    fake: FakeRiffusion = field(init=False)

    async def start(self) -> None:
        runner = Runner(CALLS_PER_REPLICA, waiting=1)
        self.fake = FakeRiffusion(runner)
        add = riffusion_pb2_grpc.add_RiffusionServiceServicer_to_server
        settings = ServiceSettings(
            store_url="file:///unused", listen_address=f"{self.address}:{self.port}", drain_s=30
        )
        name = "etbgm.riffusion.v1.RiffusionService"
        self._server = Server(
            Service("riffusion", name, settings, runner, lambda server: add(self.fake, server))
        )
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop()


@dataclass
class Cluster:
    """The pods, and what the API server says of them."""

    api: FakeApiServer
    port: int
    pods: list[Pod] = field(default_factory=list)
    terminating: list[Pod] = field(default_factory=list)

    async def scale(self, replicas: int) -> None:
        if replicas > len(self.pods):
            await asyncio.gather(*(self._add(number) for number in range(len(self.pods), replicas)))
        leaving, self.pods = self.pods[replicas:], self.pods[:replicas]
        await asyncio.gather(*(self._remove(pod) for pod in leaving))

    async def _add(self, number: int) -> None:
        new = Pod(f"127.0.0.{number + 1}", self.port)
        await new.start()
        new.ready_at = time.monotonic()
        self.pods.append(new)
        self._tell()

    async def _remove(self, leaving: Pod) -> None:
        self.terminating.append(leaving)
        self._tell()
        await asyncio.sleep(PRE_STOP_S)
        await leaving.stop()
        self.terminating.remove(leaving)
        self._tell()

    def _tell(self) -> None:
        ready = [pod(each.address) for each in self.pods]
        leaving = [pod(each.address, ready=False, terminating=True) for each in self.terminating]
        self.api.put("riffusion-a", ready + leaving, ports={"grpc": self.port})


class Load:
    """Clients that each ask for cue after cue."""

    def __init__(self, replicas: Replicas[riffusion_pb2_grpc.RiffusionServiceStub]) -> None:
        self._replicas, self._numbers = replicas, itertools.count(1)
        self.asked: list[int] = []
        self.failures: list[BaseException] = []
        self.stopping = False

    async def client(self) -> None:
        while not self.stopping:
            async with self._replicas.place(CALLS_PER_REPLICA), self._replicas.take() as replica:
                number = next(self._numbers)
                self.asked.append(number)
                try:
                    request = riffusion_pb2.GenerateRequest(random_seed=number)
                    async for _ in replica.stub.Generate(request, timeout=20):
                        pass
                except Exception as failure:
                    self.failures.append(failure)


async def test_replicas_come_and_go_under_load_and_no_request_fails_or_is_repeated() -> None:
    async with AsyncExitStack() as stack:
        cluster = Cluster(await stack.enter_async_context(api_server()), free_port())
        await cluster.scale(1)
        discovery = EndpointSlices(
            Target.of("kubernetes://etbgm/riffusion:grpc"), Configuration(host=cluster.api.url)
        )
        replicas = Replicas(discovery, riffusion_pb2_grpc.RiffusionServiceStub)
        stack.push_async_callback(replicas.close)
        await replicas.find()
        load = Load(replicas)
        clients = [asyncio.create_task(load.client()) for _ in range(CLIENTS)]
        await asyncio.sleep(PHASE_S)
        alone = len(load.asked)
        await cluster.scale(MOST)
        await asyncio.sleep(PHASE_S)
        everyone = list(cluster.pods)
        together = len(load.asked) - alone
        await cluster.scale(1)
        await asyncio.sleep(PHASE_S / 2)
        load.stopping = True
        await asyncio.gather(*clients)
        await cluster.scale(0)
    rendered = Counter(number for each in everyone for number in each.fake.rendered)
    waits = sorted(each.fake.first_call_at - each.ready_at for each in everyone[1:])
    log.info("%d requests; new replicas were used after at most %.3f s", len(load.asked), waits[-1])
    assert load.failures == []
    assert rendered == Counter(load.asked)
    assert waits[0] >= 0 and waits[-1] < USED_WITHIN_S
    assert together > 4 * alone
