"""SpeechToTextService over gRPC: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator, Callable

from etbgm.media.v1 import media_pb2
from etbgm.stt.v1 import stt_pb2 as pb
from etbgm.stt.v1 import stt_pb2_grpc
from etbgm_kit.converters import engine_to_pb, segment_to_pb
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.interceptor import Context
from etbgm_stt.converters import (
    answer_to_pb,
    captions_request_from_pb,
    imported_to_pb,
    request_from_pb,
    with_defaults,
)
from etbgm_stt.service import SpeechToTextService


class SpeechToTextServicer(stt_pb2_grpc.SpeechToTextServiceServicer):
    """Serves requests with `service`."""

    def __init__(self, calls: Calls, service: SpeechToTextService) -> None:
        self._calls, self._service = calls, service

    async def Transcribe(
        self, request: pb.TranscribeRequest, context: Context
    ) -> AsyncIterator[pb.TranscribeResponse]:
        """Streams progress and segments, then the result."""
        request = with_defaults(request)
        asked = request_from_pb(request)

        def work(on_progress: Callable[[float | media_pb2.Segment], None]) -> pb.TranscribeResult:
            answer = self._service.transcribe(asked, on_progress, lambda s: on_progress(segment_to_pb(s)))
            return answer_to_pb(answer)

        async for response in self._calls.stream(
            request, pb.TranscribeResponse, work, lambda _: self._service.advice
        ):
            yield response

    async def ImportCaptions(
        self, request: pb.ImportCaptionsRequest, context: Context
    ) -> pb.ImportCaptionsResponse:
        """Reads captions without taking a slot."""
        asked = captions_request_from_pb(request)
        return imported_to_pb(await asyncio.to_thread(self._service.import_captions, asked))

    async def GetRecognizer(
        self, request: pb.GetRecognizerRequest, context: Context
    ) -> pb.GetRecognizerResponse:
        """Describes the recogniser, once the model is loaded."""
        return pb.GetRecognizerResponse(
            engine=engine_to_pb(self._service.engine), languages=self._service.languages
        )
