"""Which replicas of a service take calls, by what they say of their own health."""

import asyncio
from contextlib import suppress
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm_gateway.upstream.replicas import Replica, Replicas

LOOK_EVERY_S = 2.0
"""Time between two looks, and the time that a replica has to answer."""


class Presence:
    """Looks at the replicas of one service again and again."""

    def __init__(self, replicas: Replicas[Any]) -> None:
        self._replicas = replicas
        self._serving: int | None = None
        self._look = asyncio.Event()

    @property
    def serving(self) -> int:
        """How many replicas take calls; before the first look, how many there should be."""
        return len(self._replicas) if self._serving is None else self._serving

    def doubt(self) -> None:
        """A call found no replica that answers: looks again at once."""
        self._look.set()

    async def watch(self) -> None:
        """Looks at the replicas until the task is cancelled."""
        while True:
            self._look.clear()
            answers = await asyncio.gather(*(_serves(replica) for replica in self._replicas))
            self._serving = sum(answers)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), LOOK_EVERY_S)


async def _serves(replica: Replica[Any]) -> bool:
    """True also for a server without a health service: it answers."""
    health = health_pb2_grpc.HealthStub(replica.channel)
    request = health_pb2.HealthCheckRequest()
    try:
        answer = await health.Check(request, timeout=LOOK_EVERY_S)  # type: ignore[attr-defined]
    except grpc.aio.AioRpcError as failure:
        return failure.code() is grpc.StatusCode.UNIMPLEMENTED
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
