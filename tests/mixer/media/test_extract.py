"""Sound comes out on the video's clock, as long as the video."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_mixer.media.extract import extract_audio
from etbgm_mixer.media.mux import mux
from etbgm_mixer.media.probe import Limits, probe
from etbgm_mixer.types import Container
from tests.mixer.conftest import RATE_HZ, MakeClip, Sound, noise, write

pytestmark = pytest.mark.process


def extracted(video: Path, limits: Limits) -> Sound:
    output = video.with_suffix(".flac")
    facts = probe(video, limits)
    extract_audio(video, facts, output, lambda _: None, 60)
    sound, rate_hz = soundfile.read(output, dtype="float32", always_2d=True)
    assert rate_hz == RATE_HZ
    assert len(sound) == round(facts.duration_s * RATE_HZ)
    return sound


def begins_s(sound: Sound) -> float:
    """When the first sample over -40 dBFS sounds."""
    return float(np.argmax(np.abs(sound).max(axis=1) > 0.01) / RATE_HZ)


@pytest.mark.parametrize(("channels", "kept"), [("1", 1), ("2", 2), ("6", 2)])
def test_mono_stays_mono_and_surround_becomes_stereo(
    make_clip: MakeClip, limits: Limits, channels: str, kept: int
) -> None:
    clip = make_clip("a.mkv", "-c:v", "libx264", "-c:a", "flac", "-ac", channels)
    assert extracted(clip, limits).shape[1] == kept


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.ts", "aac")])
def test_sound_that_begins_late_stays_late(
    make_clip: MakeClip, limits: Limits, tmp_path: Path, name: str, codec: str
) -> None:
    clip = make_clip("source.mkv", "-c:v", "libx264", "-c:a", "pcm_s16le")
    late = tmp_path / name
    command = ["ffmpeg", "-v", "error", "-i", clip, "-itsoffset", "0.5", "-i", clip]
    subprocess.run([*command, "-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", codec, late], check=True)
    assert begins_s(extracted(late, limits)) == pytest.approx(0.5, abs=0.025)


def test_sound_that_ends_early_is_filled_with_silence(make_clip: MakeClip, limits: Limits) -> None:
    clip = make_clip("a.mp4", "-c:v", "libx264", "-af", "atrim=0:1")
    sound = extracted(clip, limits)
    assert np.abs(sound[: RATE_HZ // 2]).max() > 0.05
    assert np.abs(sound[round(1.2 * RATE_HZ) :]).max() == 0


def test_a_video_that_begins_microseconds_late_is_read(make_clip: MakeClip, limits: Limits) -> None:
    # 4 ticks of 90 kHz: Python writes such seconds with an exponent, which ffmpeg does not read.
    late = ("-vf", "settb=1/90000,setpts=PTS+4", "-fps_mode", "passthrough", "-enc_time_base:v", "1/90000")
    ticks = (
        "-video_track_timescale",
        "90000",
        "-movie_timescale",
        "90000",
        "-movflags",
        "negative_cts_offsets",
    )
    clip = make_clip("a.mp4", *late, "-copyts", "-c:v", "libx264", "-bf", "0", *ticks, tone=False)
    facts = probe(clip, limits)
    assert 0 < facts.origin_s < 1e-4
    sound, result = write(clip.with_name("a.flac"), noise(2)), clip.with_name("b.mp4")
    mux(clip, facts, sound, Container.MP4, result, lambda _: None, 30)
    assert probe(result, limits).video.codec == "h264"
