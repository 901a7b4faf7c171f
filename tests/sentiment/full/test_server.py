"""The service with a classifier that was exported from Hugging Face's form, through real gRPC."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest

from etbgm.media.v1 import media_pb2
from etbgm.sentiment.v1 import sentiment_pb2 as pb
from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceStub
from etbgm_kit.converters import seconds_to_pb, timeline_from_pb
from etbgm_kit.models.folders import RECORD, BrokenModel
from etbgm_kit.types import Emotion
from etbgm_sentiment.assembly import build
from etbgm_sentiment.choice import NoClassifier
from etbgm_sentiment.settings import Settings
from tests.servers import channel_to

LINES = ("I am so happy", "how glad we all were", "that was sad again", "they say it is lonely today")


def settings(tmp_path: Path, **others: object) -> Settings:
    common = {"store_url": f"file://{tmp_path}/store", "listen_address": "127.0.0.1:0", "drain_s": 1}
    return Settings(**common, models_dir=tmp_path / "models", **others)


def asking(*lines: str) -> pb.AnalyzeRequest:
    segments = []
    for number, line in enumerate(lines):
        span = media_pb2.Span(start=seconds_to_pb(7 * number), end=seconds_to_pb(7 * number + 6))
        segments.append(media_pb2.Segment(span=span, text=line, confidence=1))
    transcript = media_pb2.Transcript(segments=segments, language="en")
    return pb.AnalyzeRequest(transcript=transcript, duration=seconds_to_pb(7 * len(lines)))


def rows(response: pb.AnalyzeResponse) -> np.ndarray:
    return np.array([[score.probability for score in phrase.scores] for phrase in response.phrases])


def install(exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models/emotion-english-distilroberta"
    shutil.copytree(exported, folder)
    (folder / RECORD).write_text("{}")


async def test_an_installed_model_is_used_when_it_is_named(tmp_path: Path, exported: Path) -> None:
    install(exported, tmp_path)
    service = build(settings(tmp_path, classifier_model="emotion-english-distilroberta"))
    async with channel_to(service) as channel:
        stub = SentimentServiceStub(channel)
        response = await stub.Analyze(asking(*LINES))
        classifier = await stub.GetClassifier(pb.GetClassifierRequest())
    spans = timeline_from_pb(response.timeline).spans
    assert [span.emotion for span in spans] == [Emotion.JOY, Emotion.SADNESS]
    assert response.engine.name == "transformers"
    assert [(used.name, used.licence) for used in response.engine.ingredients] == [("tiny", "Apache-2.0")]
    assert classifier.engine == response.engine
    assert list(classifier.languages) == ["en"]
    assert not response.engine.advice


async def test_calls_in_flight_get_what_each_gets_alone(tmp_path: Path, exported: Path) -> None:
    service = build(settings(tmp_path, classifier_model=str(exported), slots=8))
    lines = [f"{start}, {line}" for start in ("well", "so", "then", "oh") for line in LINES]
    questions = [asking(*lines[number:], *lines[:number]) for number in range(8)]
    async with channel_to(service) as channel:
        stub = SentimentServiceStub(channel)
        together = await asyncio.gather(*(stub.Analyze(request) for request in questions))
    (tmp_path / "store").rename(tmp_path / "other")  # nothing is found, all is computed again
    service = build(settings(tmp_path, classifier_model=str(exported)))
    async with channel_to(service) as channel:
        stub = SentimentServiceStub(channel)
        for request, response in zip(questions, together, strict=True):
            alone = await stub.Analyze(request)
            assert not alone.timings.found
            np.testing.assert_allclose(rows(response), rows(alone), atol=1e-5)


async def test_a_half_downloaded_folder_keeps_the_server_from_ready(tmp_path: Path, exported: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(exported, broken)
    graph = (broken / "model.onnx").read_bytes()
    (broken / "model.onnx").write_bytes(graph[: len(graph) // 2])
    service = build(settings(tmp_path, classifier_model=str(broken)))
    with pytest.raises(BrokenModel, match=str(broken)):
        service.load()
    assert not service.runner.inside


async def test_a_named_engine_that_is_not_there_is_said(tmp_path: Path) -> None:
    service = build(settings(tmp_path, classifier_model="emotion-english-distilroberta"))
    with pytest.raises(NoClassifier, match="emotion-english-distilroberta"):
        service.load()
