"""SpeechToTextService over gRPC: decode, call, encode."""

import asyncio
from collections.abc import AsyncIterator, Callable

from etbgm.media.v1 import media_pb2
from etbgm.stt.v1 import stt_pb2 as pb
from etbgm.stt.v1 import stt_pb2_grpc
from etbgm_kit.calls import Calls
from etbgm_kit.converters import segment_to_pb, transcript_to_pb
from etbgm_kit.interceptor import Context
from etbgm_stt.converters import answer_to_pb, captions_question_from_pb, question_from_pb
from etbgm_stt.transcriber import Transcriber


class SpeechToTextServicer(stt_pb2_grpc.SpeechToTextServiceServicer):
    """Answers with `transcriber`."""

    def __init__(self, calls: Calls, transcriber: Transcriber) -> None:
        self._calls, self._transcriber = calls, transcriber

    async def Transcribe(
        self, request: pb.TranscribeRequest, context: Context
    ) -> AsyncIterator[pb.TranscribeResponse]:
        """Streams progress and segments, then the result."""
        question = question_from_pb(request)

        def work(report: Callable[[float | media_pb2.Segment], None]) -> pb.TranscribeResult:
            answer = self._transcriber.transcribe(question, report, lambda s: report(segment_to_pb(s)))
            return answer_to_pb(answer)

        async for response in self._calls.stream(
            request, pb.TranscribeResponse, work, lambda _: self._transcriber.notes
        ):
            yield response

    async def ImportCaptions(
        self, request: pb.ImportCaptionsRequest, context: Context
    ) -> pb.ImportCaptionsResponse:
        """Reads captions, which takes no slot."""
        question = captions_question_from_pb(request)
        transcript = await asyncio.to_thread(self._transcriber.import_captions, question)
        return pb.ImportCaptionsResponse(transcript=transcript_to_pb(transcript))
