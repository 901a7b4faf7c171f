"""RiffusionService over gRPC: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator

from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm.riffusion.v1 import riffusion_pb2_grpc
from etbgm_kit.converters import engine_to_pb
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.interceptor import Context
from etbgm_riffusion.converters import (
    adapter_to_pb,
    music_to_pb,
    request_from_pb,
    style_request_from_pb,
    style_request_to_pb,
    styles_to_pb,
    with_defaults,
)
from etbgm_riffusion.service import RiffusionService


class RiffusionServicer(riffusion_pb2_grpc.RiffusionServiceServicer):
    """Implements the RPCs with `service`."""

    def __init__(self, calls: Calls, service: RiffusionService) -> None:
        self._calls, self._service = calls, service

    async def Generate(
        self, request: pb.GenerateRequest, context: Context
    ) -> AsyncIterator[pb.GenerateResponse]:
        """Streams progress, then the result."""
        request = with_defaults(request, paints=self._service.engine.adapters is not None)
        asked = request_from_pb(request, self._service.styles())
        async for response in self._calls.stream(
            request,
            pb.GenerateResponse,
            lambda on_progress: music_to_pb(self._service.render(asked, on_progress)),
            lambda _: self._service.advice,
        ):
            yield response

    async def GetMusicEngine(
        self, request: pb.GetMusicEngineRequest, context: Context
    ) -> pb.GetMusicEngineResponse:
        """Describes the engine, once it is loaded; may hash adapters."""
        info = await asyncio.to_thread(self._service.engine.info)
        return pb.GetMusicEngineResponse(engine=engine_to_pb(info))

    async def ListStyles(self, request: pb.ListStylesRequest, context: Context) -> pb.ListStylesResponse:
        """Returns the styles; needs no computation."""
        return styles_to_pb(self._service.styles())

    async def ReadStyle(self, request: pb.ReadStyleRequest, context: Context) -> pb.ReadStyleResponse:
        """Returns how a style is understood; needs no computation."""
        return style_request_to_pb(style_request_from_pb(request.style, self._service.styles()))

    async def ListAdapters(
        self, request: pb.ListAdaptersRequest, context: Context
    ) -> pb.ListAdaptersResponse:
        """Returns the adapters; hashes weights that it has not seen yet."""
        adapters = await asyncio.to_thread(self._service.adapters.list)
        return pb.ListAdaptersResponse(adapters=map(adapter_to_pb, adapters))

    async def LoadAdapter(self, request: pb.LoadAdapterRequest, context: Context) -> pb.LoadAdapterResponse:
        """Loads an adapter at once, without waiting for running calls."""
        adapter = await asyncio.to_thread(self._service.adapters.load, request.name)
        return pb.LoadAdapterResponse(adapter=adapter_to_pb(adapter))

    async def UnloadAdapter(
        self, request: pb.UnloadAdapterRequest, context: Context
    ) -> pb.UnloadAdapterResponse:
        """Unloads an adapter at once, without waiting for running calls."""
        await asyncio.to_thread(self._service.adapters.unload, request.name)
        return pb.UnloadAdapterResponse()
