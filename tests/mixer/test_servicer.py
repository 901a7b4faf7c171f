"""The service through gRPC: a small video goes all the way."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest

from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm.mixer.v1 import mixer_pb2_grpc
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, artifact_to_pb, seconds_to_pb, span_to_pb
from etbgm_kit.ranges import MIX_RANGES
from etbgm_kit.types import Span
from etbgm_mixer.assembly import build
from etbgm_mixer.settings import Settings
from tests.mixer.conftest import MakeClip, noise, write
from tests.servers import channel_to

pytestmark = pytest.mark.process


@pytest.fixture
async def stub(tmp_path: Path) -> AsyncIterator[Any]:
    settings = Settings(
        store_url=f"file://{tmp_path}/store", work_dir=tmp_path / "work", listen_address="127.0.0.1:0"
    )
    async with channel_to(build(settings)) as channel:
        yield mixer_pb2_grpc.MixerServiceStub(channel)


@pytest.fixture
def video(make_clip: MakeClip, store: ArtifactStore) -> media_pb2.Artifact:
    return artifact_to_pb(store.put(make_clip("a.mp4", "-c:v", "libx264"), "video/mp4"))


@pytest.fixture
def mix_request(video: media_pb2.Artifact, store: ArtifactStore, tmp_path: Path) -> pb.MixRequest:
    """Music only, 2 s."""
    music = artifact_to_pb(store.put(write(tmp_path / "music.flac", noise(2)), "audio/flac"))
    return pb.MixRequest(video=video, cues=[pb.MusicCue(music=music, span=span_to_pb(Span(0, 2)))])


async def result_of(call: AsyncIterator[Any]) -> Any:
    responses = [response async for response in call]
    assert all(response.WhichOneof("update") in ("progress", "preview") for response in responses[:-1])
    return responses[-1].result


async def test_a_video_goes_all_the_way(
    stub: Any, video: media_pb2.Artifact, mix_request: pb.MixRequest, store: ArtifactStore, tmp_path: Path
) -> None:
    probed = await stub.Probe(pb.ProbeRequest(video=video))
    assert probed.container == "mp4"
    assert probed.facts.duration == seconds_to_pb(2)
    extracted = await result_of(stub.Extract(pb.ExtractRequest(video=video)))
    assert extracted.facts == probed.facts
    separated = await result_of(stub.Separate(pb.SeparateRequest(audio=extracted.audio)))
    assert separated.engine.name == "none"
    assert list(separated.notes) == ["No speech was found in the video's sound."]
    mix_request.audio.CopyFrom(extracted.audio)
    mixed = await result_of(stub.Mix(mix_request))
    assert mixed.report.integrated_loudness_lufs == pytest.approx(-14, abs=0.5)
    assert mixed.report.true_peak_dbtp <= -1
    assert list(mixed.report.notes) == ["No speech was found, so the result contains music only."]
    assert next(store.blocks(store.find(mixed.video.uri)[0], 4, 8)) == b"ftyp"
    assert (await result_of(stub.Mix(mix_request))).timings.found
    assert list((tmp_path / "work").iterdir()) == []


async def test_the_sound_can_be_heard_before_the_video_is_written(
    stub: Any, mix_request: pb.MixRequest, store: ArtifactStore, tmp_path: Path
) -> None:
    *_, before, result = [r for r in [r async for r in stub.Mix(mix_request)] if not r.HasField("progress")]
    assert before.preview.audio == result.result.preview
    assert result.result.preview.media_type == "audio/mp4"
    heard = []
    for artifact in (result.result.preview, result.result.video):
        path = tmp_path / artifact.sha256
        path.write_bytes(store.read(artifact_from_pb(artifact)))
        command = ["ffmpeg", "-v", "error", "-i", path, "-map", "a:0", "-f", "f32le", "-"]
        heard.append(subprocess.run(command, capture_output=True, check=True).stdout)
    assert heard[0] == heard[1]


async def test_the_waveform_is_that_of_the_sound(
    stub: Any, mix_request: pb.MixRequest, store: ArtifactStore
) -> None:
    waveform = json.loads(store.read(artifact_from_pb((await result_of(stub.Mix(mix_request))).waveform)))
    assert (waveform["version"], waveform["bits"], waveform["length"]) == (2, 8, 2 * 20)
    assert waveform["sample_rate"] / waveform["samples_per_pixel"] == 20
    least, greatest = waveform["data"][::2], waveform["data"][1::2]
    assert all(-127 <= low < 0 < high <= 127 for low, high in zip(least, greatest, strict=True))


async def test_the_original_may_stay_or_go(
    stub: Any, video: media_pb2.Artifact, mix_request: pb.MixRequest
) -> None:
    extracted = await result_of(stub.Extract(pb.ExtractRequest(video=video)))
    mix_request.audio.CopyFrom(extracted.audio)
    mix_request.settings.original_audio = pb.ORIGINAL_AUDIO_KEEP
    kept = await result_of(stub.Mix(mix_request))
    assert not kept.report.notes
    mix_request.settings.original_audio = pb.ORIGINAL_AUDIO_NONE
    left_out = await result_of(stub.Mix(mix_request))
    assert not left_out.report.notes, "it was asked for"
    assert kept.video.sha256 != left_out.video.sha256


async def test_without_speech_the_whole_sound_is_ambience(
    stub: Any, video: media_pb2.Artifact, mix_request: pb.MixRequest
) -> None:
    extracted = await result_of(stub.Extract(pb.ExtractRequest(video=video)))
    mix_request.audio.CopyFrom(extracted.audio)
    removed = await result_of(stub.Mix(mix_request))
    mix_request.settings.ambience_db = -6
    kept = await result_of(stub.Mix(mix_request))
    note = "No speech was found, so the result contains music and the lowered original sound."
    assert list(kept.report.notes) == [note]
    assert kept.video.sha256 != removed.video.sha256


async def test_the_residual_is_heard_only_as_ambience(
    stub: Any, mix_request: pb.MixRequest, store: ArtifactStore, tmp_path: Path
) -> None:
    mix_request.audio.CopyFrom(mix_request.cues[0].music)
    mix_request.speech.CopyFrom(mix_request.cues[0].music)
    mix_request.speech_spans.add(end=seconds_to_pb(1))
    without = await result_of(stub.Mix(mix_request))
    residual = write(tmp_path / "residual.flac", noise(2, -10, seed=4))
    mix_request.residual.CopyFrom(artifact_to_pb(store.put(residual, "audio/flac")))
    assert (await result_of(stub.Mix(mix_request))).video.sha256 == without.video.sha256
    mix_request.settings.ambience_db = -6
    assert (await result_of(stub.Mix(mix_request))).video.sha256 != without.video.sha256
    mix_request.residual.CopyFrom(artifact_to_pb(store.put_bytes(b"no sound", "audio/flac")))
    assert "residual: is no sound" in await refused(stub.Mix(mix_request))


async def test_ambience_needs_a_removed_background(stub: Any, mix_request: pb.MixRequest) -> None:
    mix_request.settings.ambience_db = -18
    for original_audio in (pb.ORIGINAL_AUDIO_KEEP, pb.ORIGINAL_AUDIO_NONE):
        mix_request.settings.original_audio = original_audio
        assert "settings.ambience_db: can be used only" in await refused(stub.Mix(mix_request))


async def refused(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await (call if not hasattr(call, "__aiter__") else result_of(call))
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    return str(caught.value.details())


@pytest.mark.parametrize("name", MIX_RANGES)
async def test_settings_out_of_range_are_refused_by_name(
    stub: Any, mix_request: pb.MixRequest, name: str
) -> None:
    setattr(mix_request.settings, name, MIX_RANGES[name][1] + 1)
    assert f"settings.{name}: must be in" in await refused(stub.Mix(mix_request))


Change = Callable[[pb.MixRequest], None]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda request: request.ClearField("video"), "video: is required"),
        (lambda request: request.ClearField("cues"), "cues: are missing"),
        (lambda request: request.cues[0].span.end.FromSeconds(1), "cues: end at"),
        (lambda request: setattr(request, "container", "gif"), "container: must be one of"),
        (lambda request: setattr(request, "container", "webm"), "webm cannot hold"),
    ],
)
async def test_orders_that_cannot_be_met_are_refused(
    stub: Any, mix_request: pb.MixRequest, change: Change, says: str
) -> None:
    change(mix_request)
    assert says in await refused(stub.Mix(mix_request))


async def test_other_files_are_refused(stub: Any, store: ArtifactStore) -> None:
    text = artifact_to_pb(store.put_bytes(b"no video", "video/mp4"))
    assert "video: is no video" in await refused(stub.Probe(pb.ProbeRequest(video=text)))
    assert "audio: is no sound" in await refused(stub.Separate(pb.SeparateRequest(audio=text)))


async def test_a_cancelled_mix_leaves_nothing(
    stub: Any, make_clip: MakeClip, store: ArtifactStore, tmp_path: Path
) -> None:
    clip = make_clip("long.mp4", "-c:v", "libx264", picture="color=s=32x32:r=1:d=300", tone=False)
    music = artifact_to_pb(store.put(write(tmp_path / "music.flac", noise(300)), "audio/flac"))
    request = pb.MixRequest(video=artifact_to_pb(store.put(clip, "video/mp4")))
    request.cues.add(music=music, span=span_to_pb(Span(0, 300)))
    call = stub.Mix(request)
    await call.read()
    call.cancel()
    for _ in range(400):
        await asyncio.sleep(0.05)
        if not list((tmp_path / "work").iterdir()):
            break
    assert list((tmp_path / "work").iterdir()) == []
    assert "ffmpeg" not in [child.name() for child in psutil.Process().children()]
