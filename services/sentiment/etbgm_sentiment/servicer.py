"""SentimentService over gRPC: decode, call, encode."""

from etbgm.sentiment.v1 import sentiment_pb2 as pb
from etbgm.sentiment.v1 import sentiment_pb2_grpc
from etbgm_kit.calls import Calls
from etbgm_kit.converters import engine_to_pb
from etbgm_kit.interceptor import Context
from etbgm_sentiment.analyst import Analyst
from etbgm_sentiment.converters import analysis_to_pb, question_from_pb, with_defaults
from etbgm_sentiment.types import Smoothing


class SentimentServicer(sentiment_pb2_grpc.SentimentServiceServicer):
    """Answers with `analyst`; `smoothing` is the default method."""

    def __init__(self, calls: Calls, analyst: Analyst, smoothing: Smoothing) -> None:
        self._calls, self._analyst, self._smoothing = calls, analyst, smoothing

    async def Analyze(self, request: pb.AnalyzeRequest, context: Context) -> pb.AnalyzeResponse:
        """Splits, scores, smooths."""
        request = with_defaults(request, self._smoothing)
        question = question_from_pb(request)
        return await self._calls.unary(
            request,
            pb.AnalyzeResponse,
            lambda report: analysis_to_pb(self._analyst.analyse(question, report)),
            lambda _: self._analyst.notes,
        )

    async def GetClassifier(
        self, request: pb.GetClassifierRequest, context: Context
    ) -> pb.GetClassifierResponse:
        """Known once the model is loaded."""
        return pb.GetClassifierResponse(
            engine=engine_to_pb(self._analyst.engine), languages=self._analyst.languages
        )
