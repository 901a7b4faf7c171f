"""MixerService over gRPC: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm.mixer.v1 import mixer_pb2_grpc
from etbgm_kit.converters import artifact_from_pb, artifact_to_pb, engine_to_pb
from etbgm_kit.serving.calls import Calls, OnProgress
from etbgm_kit.serving.interceptor import Context
from etbgm_kit.types import Artifact
from etbgm_mixer.converters import (
    container_from_pb,
    excerpt_request_from_pb,
    extracted_to_pb,
    mix_request_from_pb,
    mixed_to_pb,
    picture_request_from_pb,
    probed_to_pb,
    seen_to_pb,
    separated_to_pb,
    tracks_from_pb,
    with_defaults,
)
from etbgm_mixer.service import MixerService


class MixerServicer(mixer_pb2_grpc.MixerServiceServicer):
    """Serves requests with `service`."""

    def __init__(self, calls: Calls, watching: Calls, service: MixerService) -> None:
        """`watching` runs AnalyzePicture beside the other calls."""
        self._calls, self._watching, self._service = calls, watching, service

    async def Probe(self, request: pb.ProbeRequest, context: Context) -> pb.ProbeResponse:
        """Probes a video without taking a slot."""
        video, container = artifact_from_pb(request.video, "video"), container_from_pb(request)
        return probed_to_pb(*await asyncio.to_thread(self._service.probe, video, container))

    async def Extract(
        self, request: pb.ExtractRequest, context: Context
    ) -> AsyncIterator[pb.ExtractResponse]:
        """Streams progress, then the result."""
        video, tracks = artifact_from_pb(request.video, "video"), tracks_from_pb(request.audio_tracks)

        def work(on_progress: OnProgress) -> pb.ExtractResult:
            return extracted_to_pb(self._service.extract(video, on_progress, tracks))

        async for response in self._calls.stream(request, pb.ExtractResponse, work):
            yield response

    async def Separate(
        self, request: pb.SeparateRequest, context: Context
    ) -> AsyncIterator[pb.SeparateResponse]:
        """Streams progress, then the result."""
        audio = artifact_from_pb(request.audio, "audio")

        def work(on_progress: OnProgress) -> pb.SeparateResult:
            return separated_to_pb(self._service.separate(audio, on_progress))

        def advice(result: pb.SeparateResult) -> Sequence[str]:
            return self._service.separator_advice if result.HasField("residual") else ()

        async for response in self._calls.stream(request, pb.SeparateResponse, work, advice):
            yield response

    async def AnalyzePicture(
        self, request: pb.AnalyzePictureRequest, context: Context
    ) -> pb.AnalyzePictureResponse:
        """Finds the cuts and the mood of the picture."""
        asked = picture_request_from_pb(request)
        return await self._watching.unary(
            request,
            pb.AnalyzePictureResponse,
            lambda on_progress: seen_to_pb(self._service.watch(*asked, on_progress)),
        )

    async def Mix(self, request: pb.MixRequest, context: Context) -> AsyncIterator[pb.MixResponse]:
        """Streams progress and the preview, then the result."""
        request = with_defaults(request)
        asked = mix_request_from_pb(request)

        def work(report: Callable[[Any], None]) -> pb.MixResult:
            def on_preview(audio: Artifact) -> None:
                report(pb.MixPreview(audio=artifact_to_pb(audio)))

            return mixed_to_pb(self._service.mix(asked, report, on_preview))

        async for response in self._calls.stream(request, pb.MixResponse, work):
            yield response

    async def MixExcerpt(self, request: pb.MixExcerptRequest, context: Context) -> pb.MixExcerptResponse:
        """Mixes a short span."""
        request.mix.CopyFrom(with_defaults(request.mix))
        asked = excerpt_request_from_pb(request)
        return await self._calls.unary(
            request,
            pb.MixExcerptResponse,
            lambda on_progress: pb.MixExcerptResponse(
                audio=artifact_to_pb(self._service.excerpt(*asked, on_progress))
            ),
        )

    async def GetSeparator(
        self, request: pb.GetSeparatorRequest, context: Context
    ) -> pb.GetSeparatorResponse:
        """Describes the separator, once it is loaded."""
        return pb.GetSeparatorResponse(engine=engine_to_pb(self._service.separator))
