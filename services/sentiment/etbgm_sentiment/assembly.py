"""Assembles the sentiment service."""

from etbgm.sentiment.v1 import sentiment_pb2, sentiment_pb2_grpc
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.serving.calls import Calls
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Service
from etbgm_sentiment.choice import choose, find_available
from etbgm_sentiment.classifier import Classifier
from etbgm_sentiment.onnx_classifier import OnnxClassifier
from etbgm_sentiment.service import SentimentService
from etbgm_sentiment.servicer import SentimentServicer
from etbgm_sentiment.settings import Settings


def build(settings: Settings) -> Service:
    """Connects the store, the classifier and the servicer."""
    store = ArtifactStore(settings.store_url, Scratch(settings.work_dir))
    runner = Runner(settings.slots, settings.waiting)
    service = SentimentService(store, lambda: _classifier(settings))
    calls = Calls(runner, Memo(store), lambda: service.engine.revision)
    servicer = SentimentServicer(calls, service, settings.smoothing)
    return Service(
        name="sentiment",
        full_name=sentiment_pb2.DESCRIPTOR.services_by_name["SentimentService"].full_name,
        settings=settings,
        runner=runner,
        add_to=lambda server: sentiment_pb2_grpc.add_SentimentServiceServicer_to_server(servicer, server),
        load=service.load,
    )


def _classifier(settings: Settings) -> tuple[Classifier, tuple[str, ...]]:
    """Returns the chosen classifier and advice on better options."""
    available = find_available(settings.models_dir, settings.classifier_model)
    choice = choose(settings.device, settings.classifier_model, available)
    return OnnxClassifier(choice.folder, settings.classifier_threads, choice.device), choice.advice
