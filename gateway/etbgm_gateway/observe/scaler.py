"""KEDA's external scaler for the music service: decode, call, encode.

The metric is the number of cues of all queued and running jobs that have not been rendered
yet, at whatever stage the jobs are. The number comes from the job store, so all gateways
report the same value, before and after a restart.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from etbgm_gateway.store.jobs import JobStore
from etbgm_kit.errors import InvalidField, ServerStopping
from etbgm_kit.serving.interceptor import Context
from etbgm_kit.serving.stopping import pause
from externalscaler import externalscaler_pb2 as pb
from externalscaler import externalscaler_pb2_grpc

METRIC = "etbgm_cues"
SERVICE = "riffusion"
LOOK_EVERY_S = 0.5
"""How often a stream polls the job store for work, because another gateway may have accepted it."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """The trigger of a ScaledObject."""

    cues_per_replica: float

    @staticmethod
    def of(reference: pb.ScaledObjectRef) -> "Trigger":
        """Parses the trigger's metadata; raises InvalidField."""
        metadata = reference.scalerMetadata
        if metadata.get("service") != SERVICE:
            raise InvalidField("scalerMetadata.service", f'must be "{SERVICE}", the service that has cues')
        try:
            cues = float(metadata.get("cuesPerReplica", ""))
        except ValueError:
            cues = math.nan
        # KEDA divides by this value.
        if not 0 < cues < math.inf:
            raise InvalidField("scalerMetadata.cuesPerReplica", "must be a number > 0")
        return Trigger(cues)


class ScalerServicer(externalscaler_pb2_grpc.ExternalScalerServicer):
    """See externalscaler.proto."""

    def __init__(self, jobs: JobStore, stopping: asyncio.Event) -> None:
        self._jobs, self._stopping = jobs, stopping

    async def IsActive(self, request: pb.ScaledObjectRef, context: Context) -> pb.IsActiveResponse:
        """See externalscaler.proto."""
        Trigger.of(request)
        return pb.IsActiveResponse(result=await self._cues() > 0)

    async def StreamIsActive(
        self, request: pb.ScaledObjectRef, context: Context
    ) -> AsyncIterator[pb.IsActiveResponse]:
        """See externalscaler.proto. KEDA acts only on true, so nothing else is sent.

        Ends without an error when the gateway stops: KEDA would wait longer after each error, without limit.
        """
        Trigger.of(request)
        was_active = False
        with suppress(ServerStopping):
            while True:
                is_active = await self._cues() > 0
                if is_active and not was_active:
                    yield pb.IsActiveResponse(result=True)
                was_active = is_active
                await pause(self._stopping, LOOK_EVERY_S)

    async def GetMetricSpec(self, request: pb.ScaledObjectRef, context: Context) -> pb.GetMetricSpecResponse:
        """See externalscaler.proto."""
        cues = Trigger.of(request).cues_per_replica
        spec = pb.MetricSpec(metricName=METRIC, targetSize=math.ceil(cues), targetSizeFloat=cues)
        return pb.GetMetricSpecResponse(metricSpecs=[spec])

    async def GetMetrics(self, request: pb.GetMetricsRequest, context: Context) -> pb.GetMetricsResponse:
        """See externalscaler.proto."""
        Trigger.of(request.scaledObjectRef)
        cues = await self._cues()
        value = pb.MetricValue(metricName=METRIC, metricValue=cues, metricValueFloat=cues)
        return pb.GetMetricsResponse(metricValues=[value])

    async def _cues(self) -> int:
        return await asyncio.to_thread(self._jobs.cues_left)
