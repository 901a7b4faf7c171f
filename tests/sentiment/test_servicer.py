"""SentimentService through real gRPC, with the real classifier."""

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import soundfile
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest
from grpc_status import rpc_status

from etbgm.media.v1 import media_pb2
from etbgm.sentiment.v1 import sentiment_pb2 as pb
from etbgm.sentiment.v1.sentiment_pb2_grpc import SentimentServiceStub
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_to_pb, seconds_from_pb, seconds_to_pb, timeline_from_pb
from etbgm_kit.types import Emotion
from etbgm_sentiment.assembly import build
from etbgm_sentiment.settings import Settings
from tests.sentiment.test_voice import vowel
from tests.servers import channel_to

LINES = (
    "I am so happy, this is the best day of my life!",
    "We laughed and danced, it was wonderful.",
    "Then my grandmother died, and I cried all night.",
    "I miss her so much, everything feels empty.",
)


@pytest.fixture
async def stub(tmp_path: Path) -> AsyncIterator[SentimentServiceStub]:
    settings = Settings(store_url=f"file://{tmp_path}/store", listen_address="127.0.0.1:0", drain_s=1)
    async with channel_to(build(settings)) as channel:
        yield SentimentServiceStub(channel)


def segment(start_s: float, end_s: float, text: str = "a few words") -> media_pb2.Segment:
    span = media_pb2.Span(start=seconds_to_pb(start_s), end=seconds_to_pb(end_s))
    return media_pb2.Segment(span=span, text=text, confidence=1)


def asking(*segments: media_pb2.Segment, duration_s: float = 30, **settings: object) -> pb.AnalyzeRequest:
    transcript = media_pb2.Transcript(segments=segments, language="en")
    return pb.AnalyzeRequest(transcript=transcript, duration=seconds_to_pb(duration_s), **settings)


def story() -> pb.AnalyzeRequest:
    return asking(*(segment(1 + 7 * i, 7 + 7 * i, line) for i, line in enumerate(LINES)))


async def test_a_transcript_becomes_phrases_and_a_timeline(stub: SentimentServiceStub) -> None:
    response = await stub.Analyze(story())
    assert [phrase.text for phrase in response.phrases] == list(LINES)
    for phrase in response.phrases:
        assert [score.emotion for score in phrase.scores] == [1, 2, 3, 4, 5, 6, 7]
        assert sum(score.probability for score in phrase.scores) == pytest.approx(1, abs=1e-5)
    timeline = timeline_from_pb(response.timeline)
    assert [span.emotion for span in timeline.spans] == [Emotion.JOY, Emotion.SADNESS]
    assert timeline.spans[1].span.start_s == 15
    assert timeline.duration_s == 30
    assert response.engine.name == "e5"
    assert [used.licence for used in response.engine.ingredients] == ["Apache-2.0"]
    assert response.smoothing == pb.SMOOTHING_VITERBI
    assert seconds_from_pb(response.timings.inference_duration) > 0


async def test_naming_the_defaults_asks_the_same_question(stub: SentimentServiceStub) -> None:
    first = await stub.Analyze(story())
    request = story()
    request.smoothing = pb.SMOOTHING_VITERBI
    request.min_emotion_duration.CopyFrom(Duration(seconds=5))
    second = await stub.Analyze(request)
    assert second.timings.found
    assert second.timeline == first.timeline


async def test_the_method_can_be_chosen(stub: SentimentServiceStub) -> None:
    response = await stub.Analyze(asking(segment(0, 5), smoothing=pb.SMOOTHING_RULE))
    assert response.smoothing == pb.SMOOTHING_RULE


async def test_nothing_said_is_neutral(stub: SentimentServiceStub) -> None:
    response = await stub.Analyze(asking(duration_s=8))
    (span,) = timeline_from_pb(response.timeline).spans
    assert (span.emotion, span.span.end_s) == (Emotion.NEUTRAL, 8)
    assert not response.phrases


def stored(store: ArtifactStore, folder: Path, *tilts_db: float | None) -> media_pb2.Artifact:
    """Speech of 7 s for each line of the story, of which 1 s is a pause; None is silence."""
    lines = [np.zeros(48000, np.float32)]
    for tilt_db in tilts_db:
        voice = np.zeros(288000, np.float32) if tilt_db is None else vowel(tilt_db, 6.0, rate_hz=48000)
        lines += [voice, np.zeros(48000, np.float32)]
    soundfile.write(folder / "speech.flac", np.concatenate(lines), 48000)
    return artifact_to_pb(store.put(folder / "speech.flac", "audio/flac"))


async def test_the_voice_scales_the_intensity(
    stub: SentimentServiceStub, store: ArtifactStore, tmp_path: Path
) -> None:
    plain = await stub.Analyze(story())
    assert not any(part.HasField("arousal") for part in (*plain.phrases, *plain.timeline.spans))
    request = story()
    request.speech.CopyFrom(stored(store, tmp_path, -8, -8, -14, -14))
    heard = await stub.Analyze(request)
    assert [phrase.arousal > 0.5 for phrase in heard.phrases] == [True, True, False, False]
    assert [phrase.scores for phrase in heard.phrases] == [phrase.scores for phrase in plain.phrases]
    for before, after in zip(plain.timeline.spans, heard.timeline.spans, strict=True):
        assert after.intensity == pytest.approx(min(1, before.intensity * (0.5 + after.arousal)))
        assert (after.emotion, after.probability) == (before.emotion, before.probability)
    assert not heard.timings.found
    assert (await stub.Analyze(request)).timings.found


async def test_what_cannot_be_heard_changes_nothing(
    stub: SentimentServiceStub, store: ArtifactStore, tmp_path: Path
) -> None:
    plain = await stub.Analyze(story())
    request = story()
    request.speech.CopyFrom(stored(store, tmp_path, None, None, None, None))
    assert (await stub.Analyze(request)).timeline == plain.timeline


async def test_speech_that_cannot_be_read_is_refused(
    stub: SentimentServiceStub, store: ArtifactStore
) -> None:
    text = artifact_to_pb(store.put_bytes(b"not sound", "audio/flac"))
    gone = media_pb2.Artifact(
        uri=text.uri.replace(text.sha256, "0" * 64).replace(f"/{text.sha256[:2]}/", "/00/"),
        sha256="0" * 64, media_type="audio/flac", size_bytes=1,
    )  # fmt: skip
    for speech, code in [
        (text, grpc.StatusCode.INVALID_ARGUMENT),
        (gone, grpc.StatusCode.NOT_FOUND),
        (media_pb2.Artifact(), grpc.StatusCode.INVALID_ARGUMENT),
    ]:
        request = story()
        request.speech.CopyFrom(speech)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.Analyze(request)
        assert caught.value.code() == code


def with_words(*times_s: tuple[float, float]) -> media_pb2.Segment:
    spans = [media_pb2.Span(start=seconds_to_pb(start), end=seconds_to_pb(end)) for start, end in times_s]
    whole = segment(1, 3)
    whole.words.extend(media_pb2.Word(span=span, text="word", confidence=1) for span in spans)
    return whole


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (asking(duration_s=0), "duration"),
        (asking(segment(29, 31)), "transcript.segments[0]"),
        (asking(segment(1, 4), segment(3, 5)), "transcript.segments[1]"),
        (asking(with_words((1, 2), (1.5, 3))), "transcript.segments[0].words[1]"),
        (asking(with_words((1, 4))), "transcript.segments[0].words"),
        (asking(min_emotion_duration=Duration(seconds=0)), "min_emotion_duration"),
        (asking(min_emotion_duration=Duration(seconds=61)), "min_emotion_duration"),
        (asking(smoothing=9), "smoothing"),
    ],
)
async def test_bad_requests_name_their_field(
    stub: SentimentServiceStub, request_: pb.AnalyzeRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Analyze(request_)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    bad = BadRequest()
    details = rpc_status.from_call(caught.value).details
    assert any(detail.Unpack(bad) for detail in details)
    assert bad.field_violations[0].field.startswith(field)
