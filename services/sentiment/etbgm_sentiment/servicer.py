"""SentimentService over gRPC: decode, call, encode."""

from etbgm.sentiment.v1 import sentiment_pb2 as pb
from etbgm.sentiment.v1 import sentiment_pb2_grpc
from etbgm_kit.converters import engine_to_pb
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.interceptor import Context
from etbgm_sentiment.converters import analysis_to_pb, request_from_pb, with_defaults
from etbgm_sentiment.service import SentimentService
from etbgm_sentiment.types import Smoothing


class SentimentServicer(sentiment_pb2_grpc.SentimentServiceServicer):
    """Serves requests with `service`; `smoothing` is the default method."""

    def __init__(self, calls: Calls, service: SentimentService, smoothing: Smoothing) -> None:
        self._calls, self._service, self._smoothing = calls, service, smoothing

    async def Analyze(self, request: pb.AnalyzeRequest, context: Context) -> pb.AnalyzeResponse:
        """Splits the transcript into phrases, classifies and smooths them."""
        request = with_defaults(request, self._smoothing)
        asked = request_from_pb(request)
        return await self._calls.unary(
            request,
            pb.AnalyzeResponse,
            lambda on_progress: analysis_to_pb(self._service.analyse(asked, on_progress)),
            lambda _: self._service.advice,
        )

    async def GetClassifier(
        self, request: pb.GetClassifierRequest, context: Context
    ) -> pb.GetClassifierResponse:
        """Describes the classifier, once the model is loaded."""
        return pb.GetClassifierResponse(
            engine=engine_to_pb(self._service.engine), languages=self._service.languages
        )
