"""A fake KEDA: asks a scaler in the order, and scales by the rules, of KEDA's operator and the HPA."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc

from externalscaler import externalscaler_pb2 as pb
from externalscaler import externalscaler_pb2_grpc

METADATA = {"scalerAddress": "gateway:8430", "service": "riffusion", "cuesPerReplica": "2"}


class FakeKeda:
    """One ScaledObject with an external-push trigger.

    Every poll calls GetMetricSpec, GetMetrics, then IsActive; an error fails the poll and
    changes nothing. IsActive alone decides between none and one, `true` from the stream does
    so at once, and none comes back only `cooldown_s` after the last time there was work. A stream
    that ends well is asked for again soon, one that fails ever later.
    """

    def __init__(self, scale: Callable[[int], None], poll_s: float, cooldown_s: float, most: int) -> None:
        self._scale, self._poll_s, self._cooldown_s, self._most = scale, poll_s, cooldown_s, most
        self.reference = pb.ScaledObjectRef(name="riffusion", namespace="etbgm", scalerMetadata=METADATA)
        self.replicas, self.pushes, self.failures = 0, 0, 0
        self.values: list[float] = []
        self._active_at = -math.inf

    async def run(self, address: str) -> None:
        """Polls and listens until cancelled; the gateway may go away and come back at `address`."""
        soon = (("grpc.max_reconnect_backoff_ms", 500),)
        async with grpc.aio.insecure_channel(address, options=soon) as channel:
            stub = externalscaler_pb2_grpc.ExternalScalerStub(channel)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._poll(stub))
                group.create_task(self._listen(stub))

    async def _poll(self, stub: "externalscaler_pb2_grpc.ExternalScalerAsyncStub") -> None:
        while True:
            try:
                spec = (await stub.GetMetricSpec(self.reference, timeout=5)).metricSpecs[0]
                asked = pb.GetMetricsRequest(scaledObjectRef=self.reference, metricName=spec.metricName)
                value = (await stub.GetMetrics(asked, timeout=5)).metricValues[0]
                active = (await stub.IsActive(self.reference, timeout=5)).result
            except grpc.aio.AioRpcError:
                self.failures += 1
            else:
                self.values.append(value.metricValueFloat)
                self._decide(active, math.ceil(value.metricValueFloat / spec.targetSizeFloat))
            await asyncio.sleep(self._poll_s)

    def _decide(self, active: bool, wanted: int) -> None:
        if active:
            self._active_at = time.monotonic()
            self._set(min(max(wanted, 1), self._most))
        elif time.monotonic() - self._active_at >= self._cooldown_s:
            self._set(0)

    async def _listen(self, stub: "externalscaler_pb2_grpc.ExternalScalerAsyncStub") -> None:
        pause_s = self._poll_s
        while True:
            try:
                async for response in stub.StreamIsActive(self.reference):
                    if response.result:
                        self.pushes += 1
                        self._active_at = time.monotonic()
                        self._set(max(self.replicas, 1))
                pause_s = self._poll_s
            except grpc.aio.AioRpcError:
                pause_s = min(2 * pause_s, 30 * self._poll_s)
            await asyncio.sleep(pause_s)

    def _set(self, replicas: int) -> None:
        if replicas != self.replicas:
            self.replicas = replicas
            self._scale(replicas)


@asynccontextmanager
async def keda(
    address: str,
    scale: Callable[[int], None],
    *,
    poll_s: float = 0.3,
    cooldown_s: float = 1.0,
    most: int = 8,
) -> AsyncIterator[FakeKeda]:
    """Runs while the context lasts; `scale` is told of each change of the number of replicas."""
    fake = FakeKeda(scale, poll_s, cooldown_s, most)
    running = asyncio.create_task(fake.run(address))
    try:
        yield fake
    finally:
        running.cancel()
        await asyncio.wait([running])
