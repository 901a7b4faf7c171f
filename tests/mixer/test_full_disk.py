"""A full disk is told as such, whether Python, libsndfile or ffmpeg finds it full."""

from pathlib import Path

import grpc
import pytest

from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2 as pb
from etbgm.mixer.v1 import mixer_pb2_grpc
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_to_pb
from etbgm_kit.errors import StorageFull
from etbgm_kit.serving.status import error_from_rpc, reason_of
from etbgm_mixer import sound
from etbgm_mixer.assembly import build
from etbgm_mixer.settings import Settings
from tests.mixer.conftest import MakeClip, noise, write
from tests.servers import channel_to

pytestmark = pytest.mark.process


@pytest.mark.parametrize("name", ["x.flac", "x.wav"])
def test_libsndfile(tiny_disk: Path, name: str) -> None:
    with (
        pytest.raises(StorageFull, match="ETBGM_WORK_DIR"),
        Scratch(tiny_disk).folder() as folder,
        sound.created(folder / name, 2) as file,
    ):
        for seed in range(10):
            file.write(noise(1, seed=seed))


def test_other_errors_of_libsndfile_pass(tmp_path: Path) -> None:
    (tmp_path / "folder.flac").mkdir()
    with pytest.raises(RuntimeError, match="Error opening"), sound.created(tmp_path / "folder.flac", 2):
        pass


async def test_the_caller_learns_which_disk_is_full(
    make_clip: MakeClip, store: ArtifactStore, tmp_path: Path, tiny_disk: Path
) -> None:
    clip = make_clip("a.mp4", "-c:v", "libx264", "-t", "30", picture="color=s=32x32:r=5:d=30", tone=False)
    video = artifact_to_pb(store.put(clip, "video/mp4"))
    audio = artifact_to_pb(store.put(write(tmp_path / "a.flac", noise(30)), "audio/flac"))
    settings = Settings(
        store_url=f"file://{tmp_path}/store", work_dir=tiny_disk, listen_address="127.0.0.1:0"
    )
    cue = pb.MusicCue(music=audio, span=media_pb2.Span(end={"seconds": 30}))
    async with channel_to(build(settings)) as channel:
        stub = mixer_pb2_grpc.MixerServiceStub(channel)
        for call in (
            stub.Separate(pb.SeparateRequest(audio=audio)),
            stub.Mix(pb.MixRequest(video=video, cues=[cue])),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                [response async for response in call]
            error = error_from_rpc(caught.value)
            assert (error.status_code, reason_of(error.status)) == ("RESOURCE_EXHAUSTED", "STORAGE_FULL")
            assert "folder for temporary files" in error.message
            assert str(tiny_disk) not in error.message
            assert not error.is_transient


async def test_ffmpeg(make_clip: MakeClip, store: ArtifactStore, tmp_path: Path, tiny_disk: Path) -> None:
    noise_source = ("-f", "lavfi", "-i", "anoisesrc=d=30:r=48000", "-map", "0:v", "-map", "1:a")
    options = (*noise_source, "-c:v", "libx264", "-c:a", "pcm_s16le")
    clip = make_clip("a.mov", *options, picture="color=s=32x32:r=5:d=30", tone=False)
    video = artifact_to_pb(store.put(clip, "video/mp4"))
    settings = Settings(
        store_url=f"file://{tmp_path}/store", work_dir=tiny_disk, listen_address="127.0.0.1:0"
    )
    async with channel_to(build(settings)) as channel:
        call = mixer_pb2_grpc.MixerServiceStub(channel).Extract(pb.ExtractRequest(video=video))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            [response async for response in call]
    assert reason_of(error_from_rpc(caught.value).status) == "STORAGE_FULL"
