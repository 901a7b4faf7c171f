"""The picture is copied packet by packet, into a container that can hold it."""

import subprocess
from pathlib import Path

import pytest

from etbgm_kit.errors import InvalidField
from etbgm_mixer.media import containers, mux
from etbgm_mixer.media.probe import Limits, probe
from etbgm_mixer.types import Container
from tests.mixer.conftest import MakeClip, noise, write
from tests.pipeline import measure

pytestmark = pytest.mark.process


def with_music(video: Path, limits: Limits, container: Container) -> Path:
    facts = probe(video, limits)
    mixdown = write(video.with_suffix(".mix.flac"), noise(facts.duration_s))
    output = video.with_name(f"out.{container}")
    mux.mux(video, facts, mixdown, container, output, lambda _: None, 60)
    return output


def show(path: Path, entries: str) -> str:
    command = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "default=nw=1", path]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("name", "codec", "container", "sound"),
    [
        ("a.mp4", "libx264", Container.MP4, "aac"),
        ("a.mov", "libx264", Container.MOV, "aac"),
        ("a.mkv", "libx264", Container.MKV, "opus"),
        ("a.webm", "libvpx-vp9", Container.WEBM, "opus"),
        ("a.avi", "mpeg4", Container.MP4, "aac"),
        ("a.avi", "msvideo1", Container.MKV, "opus"),
    ],
)
def test_the_container_follows_the_picture(
    make_clip: MakeClip, limits: Limits, name: str, codec: str, container: Container, sound: str
) -> None:
    audio = ["-c:a", "libopus"] if name.endswith("webm") else []
    clip = make_clip(name, "-c:v", codec, *audio)
    chosen = containers.choose(probe(clip, limits), None)
    assert chosen == container
    output = with_music(clip, limits, chosen)
    assert f"codec_name={sound}" in show(output, "stream=codec_name")
    before, after = measure.packets(clip), measure.packets(output)
    assert [packet[-1] for packet in after] == [packet[-1] for packet in before]


def test_a_container_that_cannot_hold_the_picture_is_refused(make_clip: MakeClip, limits: Limits) -> None:
    facts = probe(make_clip("a.mp4", "-c:v", "libx264"), limits)
    with pytest.raises(InvalidField, match="webm cannot hold a picture of h264; mp4 can"):
        containers.choose(facts, Container.WEBM)
    assert containers.choose(facts, Container.MKV) == Container.MKV


def test_varying_frame_times_survive(make_clip: MakeClip, limits: Limits) -> None:
    clip = make_clip("a.mkv", "-c:v", "libx264", "-vf", "select='not(mod(n,3))+lt(n,10)'", "-vsync", "vfr")
    times = [float(packet[0]) for packet in measure.packets(clip)]
    steps = {round(b - a, 3) for a, b in zip(sorted(times), sorted(times)[1:], strict=False)}
    assert len(steps) > 1
    kept = [float(packet[0]) for packet in measure.packets(with_music(clip, limits, Container.MKV))]
    assert kept == pytest.approx(times, abs=0.0015)


def test_rotation_metadata_chapters_and_subtitles_survive(
    make_clip: MakeClip, limits: Limits, tmp_path: Path
) -> None:
    clip = make_clip("a.mp4", "-c:v", "libx264")
    (tmp_path / "words.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nHello\n")
    (tmp_path / "meta.txt").write_text(
        ";FFMETADATA1\ntitle=Holiday\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n"
    )
    video = tmp_path / "b.mp4"
    inputs = ["-i", clip, "-i", tmp_path / "words.srt", "-i", tmp_path / "meta.txt"]
    options = ["-map", "0", "-map", "1", "-map_metadata", "2", "-c", "copy", "-c:s", "mov_text"]
    rotation = ["-metadata:s:v", "rotate=90"]
    subprocess.run(["ffmpeg", "-v", "error", *inputs, *options, *rotation, video], check=True)
    output = with_music(video, limits, Container.MP4)
    rotation = probe(output, limits).video.rotation_degrees
    assert rotation == probe(video, limits).video.rotation_degrees != 0
    assert "codec_name=mov_text" in show(output, "stream=codec_name")
    assert "TAG:title=Holiday" in show(output, "format_tags=title")
    assert "TAG:title=One" in show(output, "chapter_tags=title")
