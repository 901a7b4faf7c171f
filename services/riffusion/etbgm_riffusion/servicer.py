"""RiffusionService over gRPC: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator

from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm.riffusion.v1 import riffusion_pb2_grpc
from etbgm_kit.calls import Calls
from etbgm_kit.interceptor import Context
from etbgm_riffusion.converters import (
    adapter_to_pb,
    music_to_pb,
    request_from_pb,
    styles_to_pb,
    wish_from_pb,
    wish_to_pb,
)
from etbgm_riffusion.musician import Musician


class RiffusionServicer(riffusion_pb2_grpc.RiffusionServiceServicer):
    """Answers with `musician`."""

    def __init__(self, calls: Calls, musician: Musician) -> None:
        self._calls, self._musician = calls, musician

    async def Generate(
        self, request: pb.GenerateRequest, context: Context
    ) -> AsyncIterator[pb.GenerateResponse]:
        """Streams progress, then the result."""
        asked = request_from_pb(request, self._musician.styles())
        async for response in self._calls.stream(
            request,
            pb.GenerateResponse,
            lambda report: music_to_pb(self._musician.render(asked, report)),
            lambda _: self._musician.notes,
        ):
            yield response

    async def ListStyles(self, request: pb.ListStylesRequest, context: Context) -> pb.ListStylesResponse:
        """Known without computing."""
        return styles_to_pb(self._musician.styles())

    async def ReadStyle(self, request: pb.ReadStyleRequest, context: Context) -> pb.ReadStyleResponse:
        """Known without computing."""
        return wish_to_pb(wish_from_pb(request.style, self._musician.styles()))

    async def ListAdapters(
        self, request: pb.ListAdaptersRequest, context: Context
    ) -> pb.ListAdaptersResponse:
        """Reads weights that it has not seen yet, to hash them."""
        adapters = await asyncio.to_thread(self._musician.adapters.list)
        return pb.ListAdaptersResponse(adapters=map(adapter_to_pb, adapters))

    async def LoadAdapter(self, request: pb.LoadAdapterRequest, context: Context) -> pb.LoadAdapterResponse:
        """At once, whatever computes meanwhile."""
        adapter = await asyncio.to_thread(self._musician.adapters.load, request.name)
        return pb.LoadAdapterResponse(adapter=adapter_to_pb(adapter))

    async def UnloadAdapter(
        self, request: pb.UnloadAdapterRequest, context: Context
    ) -> pb.UnloadAdapterResponse:
        """At once, whatever computes meanwhile."""
        await asyncio.to_thread(self._musician.adapters.unload, request.name)
        return pb.UnloadAdapterResponse()
