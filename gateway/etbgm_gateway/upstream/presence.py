"""Tracks which replicas of a service accept calls, according to their health checks."""

import asyncio
from contextlib import suppress
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm_gateway.upstream.replicas import Replica, Replicas

LOOK_EVERY_S = 2.0
"""Interval between two checks, and the time that a replica has to answer one."""


class Presence:
    """Checks the health of one service's replicas at regular intervals."""

    def __init__(self, replicas: Replicas[Any]) -> None:
        self._replicas = replicas
        self._serving: int | None = None
        self._look = asyncio.Event()

    @property
    def serving(self) -> int:
        """The number of replicas that accept calls; before the first check, the number of known replicas."""
        return len(self._replicas) if self._serving is None else self._serving

    def doubt(self) -> None:
        """Checks again at once, because a replica did not answer a call."""
        self._look.set()

    async def watch(self) -> None:
        """Checks the replicas until the task is cancelled."""
        while True:
            self._look.clear()
            answers = await asyncio.gather(*(_serves(replica) for replica in self._replicas))
            self._serving = sum(answers)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), LOOK_EVERY_S)


async def _serves(replica: Replica[Any]) -> bool:
    """Returns whether the replica serves; a server without a health service does, because it answers."""
    health = health_pb2_grpc.HealthStub(replica.channel)
    request = health_pb2.HealthCheckRequest()
    try:
        answer = await health.Check(request, timeout=LOOK_EVERY_S)  # type: ignore[attr-defined]
    except grpc.aio.AioRpcError as failure:
        return failure.code() is grpc.StatusCode.UNIMPLEMENTED
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
