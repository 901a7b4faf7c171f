"""The places that a request names: where its video is fetched from, and where its results are copied to."""

import asyncio

from etbgm.gateway.v1 import gateway_pb2
from etbgm_gateway.identity.types import current_tenant
from etbgm_gateway.outgoing.destinations import Destinations
from etbgm_gateway.outgoing.sources import Sources
from etbgm_kit.errors import InvalidField


class Places:
    """Checks places for the current caller."""

    def __init__(self, sources: Sources, destinations: Destinations) -> None:
        self._sources, self._destinations = sources, destinations

    async def check(self, request: gateway_pb2.CreateJobRequest) -> None:
        """Raises InvalidField (a place is not permitted), NotFound (nothing was sent by this link)."""
        tenant = current_tenant()
        if request.source_url:
            if request.HasField("video"):
                raise InvalidField("source_url", "cannot be used together with video")
            await asyncio.to_thread(self._sources.check, request.source_url, tenant)
        if request.HasField("destination"):
            self._destinations.check(request.destination, tenant)
