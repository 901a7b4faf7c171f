"""The services answer whatever is asked of them with the statuses that the contract declares."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

import etbgm_mixer.assembly
import etbgm_riffusion.assembly
import etbgm_sentiment.assembly
import etbgm_stt.assembly
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm.sentiment.v1 import sentiment_pb2
from etbgm.stt.v1 import stt_pb2
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_to_pb, seconds_to_pb
from etbgm_kit.serving.server import Service
from etbgm_stt.choice import DEFAULT as SPEECH_MODEL
from tests.contract.fuzzing import Target, fuzz
from tests.servers import channel_to

pytestmark = pytest.mark.process

LENGTH_S = 1.0
SPAN = media_pb2.Span(start=Duration(), end=seconds_to_pb(LENGTH_S))
EMOTION = media_pb2.EmotionSpan(span=SPAN, emotion=media_pb2.EMOTION_JOY, probability=0.9)
TIMELINE = media_pb2.EmotionTimeline(duration=SPAN.end, spans=[EMOTION])
SEGMENT = media_pb2.Segment(span=SPAN, text="What a beautiful day!", confidence=0.9)

BUILDS: dict[str, Callable[[str, Path], Service]] = {
    "mixer": lambda url, work: etbgm_mixer.assembly.build(
        etbgm_mixer.assembly.Settings(
            store_url=url, work_dir=work, listen_address="127.0.0.1:0", models_dir=work
        )
    ),
    "stt": lambda url, work: etbgm_stt.assembly.build(
        etbgm_stt.assembly.Settings(
            store_url=url, work_dir=work, listen_address="127.0.0.1:0", whisper_model=SPEECH_MODEL
        )
    ),
    "sentiment": lambda url, work: etbgm_sentiment.assembly.build(
        etbgm_sentiment.assembly.Settings(store_url=url, listen_address="127.0.0.1:0", models_dir=work)
    ),
    "riffusion": lambda url, work: etbgm_riffusion.assembly.build(
        etbgm_riffusion.assembly.Settings(
            store_url=url, work_dir=work, listen_address="127.0.0.1:0", models_dir=work
        )
    ),
}
CALLS = {"Generate": 40, "Mix": 40}
"""Random calls of the methods that compute for long; 100 of each other."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"file://{tmp_path_factory.mktemp('store')}"


@pytest.fixture(scope="module")
def artifacts(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, media_pb2.Artifact]:
    """One of each kind, in the store, and one that is not."""
    folder = tmp_path_factory.mktemp("artifacts")
    store = ArtifactStore(url, Scratch(folder))
    noise = np.random.default_rng(1).normal(0, 0.1, (round(48000 * LENGTH_S), 2))
    soundfile.write(folder / "sound.flac", noise, 48000)
    sources = ["-f", "lavfi", "-i", f"testsrc=s=64x64:r=25:d={LENGTH_S}", "-i", folder / "sound.flac"]
    subprocess.run(["ffmpeg", "-v", "error", *sources, "-c:v", "libx264", folder / "video.mp4"], check=True)
    gone = media_pb2.Artifact(
        uri=f"artifact://sha256/{'0' * 64}.flac", sha256="0" * 64, media_type="audio/flac", size_bytes=1
    )
    return {
        "video": artifact_to_pb(store.put(folder / "video.mp4", "video/mp4")),
        "sound": artifact_to_pb(store.put(folder / "sound.flac", "audio/flac")),
        "captions": artifact_to_pb(
            store.put_bytes(b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n", "text/vtt")
        ),
        "empty": artifact_to_pb(store.put_bytes(b"", "application/octet-stream")),
        "gone": gone,
    }


@pytest.fixture(scope="module")
def targets(
    url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Target]]:
    """Running services by name, each started when it is first needed."""
    running: dict[str, Target] = {}

    def target(name: str) -> Target:
        if name == "stt":
            request.getfixturevalue("models_dir")  # skips without the model
        if name not in running:
            running[name] = Target(channel_to(BUILDS[name](url, tmp_path_factory.mktemp(name))))
        return running[name]

    yield target
    for each in running.values():
        each.close()


def samples(artifacts: dict[str, media_pb2.Artifact]) -> list[Message]:
    """A request of each kind that is met."""
    video, sound, captions = artifacts["video"], artifacts["sound"], artifacts["captions"]
    cue = mixer_pb2.MusicCue(music=sound, span=SPAN)
    transcript = media_pb2.Transcript(segments=[SEGMENT], language="en")
    return [
        mixer_pb2.ProbeRequest(video=video),
        mixer_pb2.ExtractRequest(video=video),
        mixer_pb2.SeparateRequest(audio=sound),
        mixer_pb2.MixRequest(video=video, audio=sound, speech=sound, speech_spans=[SPAN], cues=[cue]),
        stt_pb2.TranscribeRequest(audio=sound),
        stt_pb2.ImportCaptionsRequest(captions=captions),
        sentiment_pb2.AnalyzeRequest(transcript=transcript, duration=SPAN.end, speech=sound),
        riffusion_pb2.GenerateRequest(timeline=TIMELINE, cue=SPAN, style="ambient"),
        riffusion_pb2.ReadStyleRequest(style="calm piano"),
    ]


def methods() -> Iterator[tuple[str, MethodDescriptor]]:
    """Each method and the name of its service."""
    for file in (mixer_pb2, stt_pb2, sentiment_pb2, riffusion_pb2):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield file.DESCRIPTOR.package.split(".")[1], method


@pytest.mark.parametrize(
    ("service", "method"), [pytest.param(*each, id=f"{each[0]}.{each[1].name}") for each in methods()]
)
def test_only_declared_statuses_come_back(
    service: str,
    method: MethodDescriptor,
    targets: Callable[[str], Target],
    artifacts: dict[str, media_pb2.Artifact],
) -> None:
    usable = [sample for sample in samples(artifacts) if sample.DESCRIPTOR.name == method.input_type.name]
    parts = {
        "etbgm.media.v1.Artifact": list(artifacts.values()),
        "etbgm.media.v1.Span": [SPAN],
        "etbgm.media.v1.EmotionSpan": [EMOTION],
        "etbgm.media.v1.EmotionTimeline": [TIMELINE],
        "etbgm.media.v1.Segment": [SEGMENT],
        "google.protobuf.Duration": [Duration(), SPAN.end],
    }
    target = targets(service)
    for sample in usable:
        assert target.code_of(method, [sample]) == ("OK", "")
    fuzz(target, method, usable, parts, CALLS.get(method.name, 100))
