"""The service with a Whisper model, through real gRPC."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
import soundfile

from etbgm.media.v1 import media_pb2
from etbgm.stt.v1 import stt_pb2 as pb
from etbgm.stt.v1 import stt_pb2_grpc
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_to_pb
from etbgm_kit.media.vad import SAMPLE_RATE_HZ
from etbgm_kit.models.folders import RECORD
from etbgm_stt.assembly import build
from etbgm_stt.settings import Settings
from tests.servers import channel_to

from .conftest import TINY, Speak

Stub = stt_pb2_grpc.SpeechToTextServiceStub


@pytest_asyncio.fixture
async def stub(tmp_path: Path) -> AsyncIterator[Stub]:
    """A client of a server that finds one installed model, of the name whisper-tiny."""
    shutil.copytree(TINY, tmp_path / "models/whisper-tiny")
    (tmp_path / "models/whisper-tiny" / RECORD).write_text("{}")
    settings = Settings(
        store_url=f"file://{tmp_path}/store",
        listen_address="127.0.0.1:0",
        models_dir=tmp_path / "models",
        device="cpu",
        whisper_threads=1,
    )
    async with channel_to(build(settings)) as channel:
        yield Stub(channel)


def stored(store: ArtifactStore, tmp_path: Path, speak: Speak, *sentences: str) -> media_pb2.Artifact:
    path = tmp_path / "spoken.flac"
    soundfile.write(path, speak("de", *sentences).samples, SAMPLE_RATE_HZ)
    return artifact_to_pb(store.put(path, "audio/flac"))


async def test_an_installed_model_is_used_and_named(
    stub: Stub, store: ArtifactStore, tmp_path: Path, speak: Speak
) -> None:
    audio = stored(store, tmp_path, speak, "Kinder Abend Blume Vogel", "Wasser Fenster")
    request = pb.TranscribeRequest(audio=audio, readable_languages=["en"])
    updates = [update async for update in stub.Transcribe(request)]
    result = updates[-1].result
    texts = [segment.text for segment in result.transcript.segments]
    assert texts == ["Kinder Abend Blume Vogel", "Wasser Fenster"]
    english = [segment.text for segment in result.translation.segments]
    assert english == ["children evening flower bird", "water window"]
    assert list(result.transcript.segments) == [u.segment for u in updates if u.HasField("segment")]
    assert (result.transcript.language, result.translation.language) == ("de", "en")
    (note,) = result.notes
    assert note == "The emotions follow a translation, because the emotion classifier does not read de."
    weights = result.engine.ingredients[0]
    assert (result.engine.name, result.engine.device) == ("faster-whisper", "cpu")
    assert (weights.name, weights.licence) == ("whisper-tiny", "MIT")
    fractions = [update.progress.fraction for update in updates if update.HasField("progress")]
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < 1


async def test_what_the_reader_reads_decides_whether_speech_is_translated(
    stub: Stub, store: ArtifactStore, tmp_path: Path, speak: Speak
) -> None:
    audio = stored(store, tmp_path, speak, "Wasser Fenster")
    for readable, translate, text in [
        (["en"], False, "water window"),
        (["de"], False, ""),
        ([], False, ""),
        (["de"], True, "water window"),
    ]:
        request = pb.TranscribeRequest(audio=audio, readable_languages=readable, translate=translate)
        updates = [update async for update in stub.Transcribe(request)]
        assert " ".join(segment.text for segment in updates[-1].result.translation.segments) == text
