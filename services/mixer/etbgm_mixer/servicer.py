"""MixerService over gRPC: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm.mixer.v1 import mixer_pb2_grpc
from etbgm_kit.calls import Calls, Report
from etbgm_kit.converters import artifact_from_pb
from etbgm_kit.interceptor import Context
from etbgm_mixer.converters import (
    container_from_pb,
    extracted_to_pb,
    mixed_to_pb,
    order_from_pb,
    probed_to_pb,
    separated_to_pb,
)
from etbgm_mixer.studio import Studio


class MixerServicer(mixer_pb2_grpc.MixerServiceServicer):
    """Answers with `studio`."""

    def __init__(self, calls: Calls, studio: Studio) -> None:
        self._calls, self._studio = calls, studio

    async def Probe(self, request: pb.ProbeRequest, context: Context) -> pb.ProbeResponse:
        """Looks at a video, which takes no slot."""
        video, container = artifact_from_pb(request.video, "video"), container_from_pb(request)
        return probed_to_pb(*await asyncio.to_thread(self._studio.probe, video, container))

    async def Extract(
        self, request: pb.ExtractRequest, context: Context
    ) -> AsyncIterator[pb.ExtractResponse]:
        """Streams progress, then the result."""
        video = artifact_from_pb(request.video, "video")

        def work(report: Report) -> pb.ExtractResult:
            return extracted_to_pb(self._studio.extract(video, report))

        async for response in self._calls.stream(request, pb.ExtractResponse, work):
            yield response

    async def Separate(
        self, request: pb.SeparateRequest, context: Context
    ) -> AsyncIterator[pb.SeparateResponse]:
        """Streams progress, then the result."""
        audio = artifact_from_pb(request.audio, "audio")

        def work(report: Report) -> pb.SeparateResult:
            return separated_to_pb(self._studio.separate(audio, report))

        def notes(result: pb.SeparateResult) -> Sequence[str]:
            return self._studio.separator_notes if result.HasField("residual") else ()

        async for response in self._calls.stream(request, pb.SeparateResponse, work, notes):
            yield response

    async def Mix(self, request: pb.MixRequest, context: Context) -> AsyncIterator[pb.MixResponse]:
        """Streams progress, then the result."""
        order = order_from_pb(request)

        def work(report: Report) -> pb.MixResult:
            return mixed_to_pb(self._studio.mix(order, report))

        async for response in self._calls.stream(request, pb.MixResponse, work):
            yield response
