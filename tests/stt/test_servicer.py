"""The service through real gRPC."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import pytest_asyncio
import soundfile
from google.protobuf.duration_pb2 import Duration

from etbgm.media.v1 import media_pb2
from etbgm.stt.v1 import stt_pb2 as pb
from etbgm.stt.v1 import stt_pb2_grpc
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_to_pb
from etbgm_stt.assembly import build
from etbgm_stt.choice import DEFAULT
from etbgm_stt.settings import Settings
from tests.servers import channel_to

from .conftest import SENTENCES

pytestmark = pytest.mark.process

Stub = stt_pb2_grpc.SpeechToTextServiceStub


@pytest_asyncio.fixture
async def stub(tmp_path: Path, models_dir: Path) -> AsyncIterator[Stub]:
    """A client of a server on any free port, with the store of the fixture `store`."""
    settings = Settings(
        store_url=f"file://{tmp_path}/store",
        listen_address="127.0.0.1:0",
        models_dir=models_dir,
        device="cpu",
        whisper_model=DEFAULT,
        whisper_threads=1,
    )
    async with channel_to(build(settings)) as channel:
        yield Stub(channel)


def stored(store: ArtifactStore, path: Path, tmp_path: Path) -> media_pb2.Artifact:
    return artifact_to_pb(store.put(Path(shutil.copy(path, tmp_path)), "audio/flac"))


async def refusal(call: "grpc.aio.UnaryStreamCall | grpc.aio.UnaryUnaryCall") -> tuple[str, str]:
    """Status and message that `call` ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await (call.read() if isinstance(call, grpc.aio.UnaryStreamCall) else call)
    return caught.value.code().name, caught.value.details() or ""


async def test_transcribe_streams_then_remembers(
    stub: Stub, store: ArtifactStore, narration: Path, tmp_path: Path
) -> None:
    request = pb.TranscribeRequest(audio=stored(store, narration, tmp_path))
    updates = [update async for update in stub.Transcribe(request)]
    kinds = [update.WhichOneof("update") for update in updates]
    assert kinds.count("segment") == len(SENTENCES)
    assert kinds.count("result") == 1
    assert kinds[-1] == "result"
    fractions = [update.progress.fraction for update in updates if update.HasField("progress")]
    assert fractions == sorted(fractions)
    assert 0 <= fractions[0] <= fractions[-1] <= 1
    result = updates[-1].result
    assert list(result.transcript.segments) == [u.segment for u in updates if u.HasField("segment")]
    assert (result.transcript.language, result.engine.name) == ("en", "faster-whisper")
    assert not result.notes
    again = [update async for update in stub.Transcribe(request)]
    assert [update.WhichOneof("update") for update in again] == ["result"]
    assert again[0].result.timings.found
    assert again[0].result.transcript == result.transcript
    assert again[0].result.engine == result.engine


async def test_cancel_frees_the_slot(
    stub: Stub, store: ArtifactStore, narration: Path, tmp_path: Path
) -> None:
    samples, rate = soundfile.read(narration, dtype="float32")
    soundfile.write(tmp_path / "long.flac", np.tile(samples, (5, 1)), rate)
    call = stub.Transcribe(pb.TranscribeRequest(audio=stored(store, tmp_path / "long.flac", tmp_path / "x")))
    async for update in call:
        if update.HasField("segment"):
            break
    call.cancel()
    async with asyncio.timeout(60):
        request = pb.TranscribeRequest(audio=stored(store, narration, tmp_path / "x"))
        assert [update async for update in stub.Transcribe(request)][-1].HasField("result")


async def test_bad_requests_say_what_is_wrong(
    stub: Stub, store: ArtifactStore, narration: Path, tmp_path: Path
) -> None:
    audio = stored(store, narration, tmp_path)
    text = artifact_to_pb(store.put_bytes(b"not audio", "audio/flac"))
    gone = media_pb2.Artifact(
        uri=audio.uri.replace(audio.sha256, "0" * 64).replace(f"/{audio.sha256[:2]}/", "/00/"),
        sha256="0" * 64, media_type="audio/flac", size_bytes=1,
    )  # fmt: skip
    for request, code, words in [
        (pb.TranscribeRequest(), "INVALID_ARGUMENT", "audio: is required"),
        (pb.TranscribeRequest(audio=text), "INVALID_ARGUMENT", "audio: cannot be read"),
        (pb.TranscribeRequest(audio=gone), "NOT_FOUND", "not in the store"),
        (pb.TranscribeRequest(audio=audio, language="Englisch!"), "INVALID_ARGUMENT", "BCP-47"),
        (pb.TranscribeRequest(audio=audio, language="tlh"), "INVALID_ARGUMENT", "99 languages, not tlh"),
        (pb.TranscribeRequest(audio=audio, readable_languages=["en", "?"]), "INVALID_ARGUMENT", "readable"),
    ]:
        status, message = await refusal(stub.Transcribe(request))
        assert status == code
        assert words in message


async def test_captions_replace_recognition(stub: Stub, store: ArtifactStore) -> None:
    text = "1\n00:00:01,000 --> 00:00:02,000\nBonjour\n\n2\n00:00:08,000 --> 00:00:09,000\nAdieu\n"
    captions = artifact_to_pb(store.put_bytes(text.encode("utf-8-sig"), "application/x-subrip"))
    response = await stub.ImportCaptions(
        pb.ImportCaptionsRequest(captions=captions, language="fr", duration=Duration(seconds=5))
    )
    assert [segment.text for segment in response.transcript.segments] == ["Bonjour"]
    assert response.transcript.language == "fr"


async def test_captions_in_another_encoding_are_read_and_noted(stub: Stub, store: ArtifactStore) -> None:
    text = "1\r\n00:00:01,000 --> 00:00:02,000\r\nJ'étais très fâché\r\n"
    for encoding, noted in [("utf-16", False), ("cp1252", True)]:
        captions = artifact_to_pb(store.put_bytes(text.encode(encoding), "application/x-subrip"))
        response = await stub.ImportCaptions(pb.ImportCaptionsRequest(captions=captions, language="fr"))
        assert [segment.text for segment in response.transcript.segments] == ["J'étais très fâché"]
        assert any("cp1252 was assumed" in note for note in response.notes) == noted


async def test_captions_without_words_are_an_empty_transcript(
    stub: Stub, store: ArtifactStore, test_data: Path
) -> None:
    blank = (test_data / "field/blankcap.srt").read_bytes()
    late = b"WEBVTT\n\n00:10.000 --> 00:11.000\nToo late\n"
    for data in (b"\xef\xbb\xbf\r\n", blank, late):
        captions = artifact_to_pb(store.put_bytes(data, "application/x-subrip"))
        response = await stub.ImportCaptions(
            pb.ImportCaptionsRequest(captions=captions, duration=Duration(seconds=10))
        )
        assert not response.transcript.segments


@pytest.mark.parametrize(
    ("data", "words"), [(b"\xff\xfe1", "not utf-16"), (b"hello", "neither SubRip nor WebVTT")]
)
async def test_bad_captions_say_what_is_wrong(
    stub: Stub, store: ArtifactStore, data: bytes, words: str
) -> None:
    captions = artifact_to_pb(store.put_bytes(data, "text/vtt"))
    status, message = await refusal(stub.ImportCaptions(pb.ImportCaptionsRequest(captions=captions)))
    assert status == "INVALID_ARGUMENT"
    assert words in message
