"""The sentiment service, assembled."""

from etbgm.sentiment.v1 import sentiment_pb2, sentiment_pb2_grpc
from etbgm_kit.calls import Calls
from etbgm_kit.memo import Memo
from etbgm_kit.runner import Runner
from etbgm_kit.scratch import Scratch
from etbgm_kit.server import Service
from etbgm_kit.store import ArtifactStore
from etbgm_sentiment.analyst import Analyst
from etbgm_sentiment.choice import choose, find_available
from etbgm_sentiment.classifier import Classifier
from etbgm_sentiment.onnx_classifier import OnnxClassifier
from etbgm_sentiment.servicer import SentimentServicer
from etbgm_sentiment.settings import Settings


def build(settings: Settings) -> Service:
    """Puts store, classifier and servicer together."""
    store = ArtifactStore(settings.store_url, Scratch(settings.work_dir))
    runner = Runner(settings.slots, settings.waiting)
    analyst = Analyst(lambda: _classifier(settings))
    calls = Calls(runner, Memo(store), lambda: analyst.engine.revision)
    servicer = SentimentServicer(calls, analyst, settings.smoothing)
    return Service(
        name="sentiment",
        full_name=sentiment_pb2.DESCRIPTOR.services_by_name["SentimentService"].full_name,
        settings=settings,
        runner=runner,
        add_to=lambda server: sentiment_pb2_grpc.add_SentimentServiceServicer_to_server(servicer, server),
        load=analyst.load,
    )


def _classifier(settings: Settings) -> tuple[Classifier, tuple[str, ...]]:
    """The classifier that settings and what is there decide on, and its notes."""
    available = find_available(settings.models_dir, settings.classifier_model)
    choice = choose(settings.sentiment_engine, settings.device, settings.classifier_model, available)
    return OnnxClassifier(choice.folder, settings.classifier_threads, choice.device), choice.notes
