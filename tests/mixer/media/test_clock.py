"""Files whose clock is missing, restarts, wraps or begins late lose nothing and stay in sync."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_mixer.media import clock, containers, extract, mux
from etbgm_mixer.media.probe import Limits, TooLarge, probe
from etbgm_mixer.types import Container
from tests.mixer.conftest import RATE_HZ, MakeClip, Sound, noise, write
from tests.pipeline import measure

pytestmark = pytest.mark.process

FLASH = "color=black:s=64x48:r=25:d=2,drawbox=c=white:t=fill:enable='gte(t,1)'"
BEEP = "aevalsrc='if(gte(t,1),0.5*sin(2*PI*1000*t),0)':d=2:s=48000"
"""The picture turns white when the tone begins."""


@pytest.fixture
def flash(tmp_path: Path) -> Path:
    path = tmp_path / "flash.mp4"
    sources = ["-f", "lavfi", "-i", FLASH, "-f", "lavfi", "-i", BEEP]
    subprocess.run(["ffmpeg", "-v", "error", *sources, "-c:v", "libx264", "-bf", "2", path], check=True)
    return path


def copied(source: Path, name: str, *options: str) -> Path:
    path = source.with_name(name)
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, "-c", "copy", *options, path], check=True)
    return path


def processed(video: Path, limits: Limits) -> tuple[Path, Sound]:
    """The result with noise as its sound, and the extracted sound."""
    folder = video.parent
    path, facts = clock.steady_facts(video, folder, limits)
    sound, output = folder / "sound.flac", folder / "result.mkv"
    extract.extract_audio(path, facts, sound, lambda _: None, 30)
    mixdown = write(folder / "mix.flac", noise(facts.duration_s))
    mux.mux(
        clock.steady_file(video, folder, facts), facts, mixdown, Container.MKV, output, lambda _: None, 30
    )
    return output, soundfile.read(sound, dtype="float32", always_2d=True)[0]


def white_s(video: Path) -> list[float]:
    """When the picture turns white."""
    reading = ["-vf", "showinfo", "-an", "-f", "null", "-"]
    command = ["ffmpeg", "-hide_banner", "-copyts", "-i", video, *reading]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    frames = [line for line in lines if "pts_time:" in line and "mean:[" in line]
    times_s = [float(line.split("pts_time:")[1].split()[0]) for line in frames]
    bright = [float(line.split("mean:[")[1].split()[0]) > 128 for line in frames]
    return [b for b, before, now in zip(times_s[1:], bright, bright[1:], strict=False) if now and not before]


def loud_s(sound: Sound) -> list[float]:
    """When the tone begins."""
    steps = np.abs(sound).max(axis=1)[: len(sound) // 480 * 480].reshape(-1, 480).max(axis=1) > 0.1
    return [0.01 * i for i in range(1, len(steps)) if steps[i] and not steps[i - 10 : i].any()]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.mp4", ()),
        ("wrapped.ts", ("-output_ts_offset", "95442.7")),
        ("far.ts", ("-output_ts_offset", "50000")),
        ("late.mkv", ("-output_ts_offset", "5")),
        ("late.flv", ("-output_ts_offset", "5")),
        ("no_pts.avi", ()),
    ],
)
def test_the_whole_video_in_sync(flash: Path, limits: Limits, name: str, options: tuple[str, ...]) -> None:
    video = copied(flash, name, *options)
    output, sound = processed(video, limits)
    assert len(measure.packets(output)) == len(measure.packets(flash)) == 50
    assert len(sound) / RATE_HZ == pytest.approx(2, abs=0.1)
    (white,), (loud,) = white_s(output), loud_s(sound)
    assert loud == pytest.approx(1, abs=0.05)
    assert white - loud == pytest.approx(0, abs=0.085)  # AVI stores no order: up to two frames
    assert probe(video, limits).notes == ()


def test_joined_recordings_are_whole(flash: Path, limits: Limits) -> None:
    part = copied(flash, "part.ts").read_bytes()
    video = flash.with_name("joined.ts")
    video.write_bytes(part + part)
    output, sound = processed(video, limits)
    assert len(measure.packets(output)) == 100
    whites, louds = white_s(output), loud_s(sound)
    assert louds == pytest.approx([1, 3], abs=0.1)
    assert whites == pytest.approx(louds, abs=0.1)
    _, facts = clock.steady_facts(video, flash.parent, limits)
    assert facts.notes == (clock.NOTE,)
    assert facts.size_bytes == 2 * len(part)
    assert containers.choose(facts, None) == Container.MP4


def test_a_rebuilt_file_is_measured_against_the_limits(flash: Path, limits: Limits) -> None:
    part = copied(flash, "part.ts").read_bytes()
    video = flash.with_name("long.ts")
    video.write_bytes(part * 40)
    short = Limits(limits.max_size_bytes, 60, limits.max_pixels, limits.max_streams, limits.probe_timeout_s)
    with pytest.raises(TooLarge, match="seconds, the limit is 60"):
        clock.steady_facts(video, flash.parent, short)


def test_a_result_that_lacks_pictures_is_refused(make_clip: MakeClip, limits: Limits) -> None:
    clip = make_clip("a.mp4", "-c:v", "libx264")
    facts = probe(clip, limits)
    shorter = copied(clip, "b.mp4", "-t", "1")
    mixdown = write(clip.with_name("mix.flac"), noise(2))
    with pytest.raises(mux.Incomplete, match=r"has 50 pictures, of which \d+ could be copied"):
        mux.mux(shorter, facts, mixdown, Container.MP4, clip.with_name("c.mp4"), lambda _: None, 30)


@pytest.mark.parametrize(
    ("name", "pictures", "duration_s"), [("concat_reset.ts", 197, 7.9), ("h264_bf.avi", 197, 7.9)]
)
def test_files_from_the_field(
    test_data: Path, tmp_path: Path, limits: Limits, name: str, pictures: int, duration_s: float
) -> None:
    video = tmp_path / name
    video.write_bytes((test_data / "field" / name).read_bytes())
    output, sound = processed(video, limits)
    assert len(measure.packets(output)) == pictures
    assert len(sound) / RATE_HZ == pytest.approx(duration_s, abs=0.05)
