"""Facts come from packets; limits and non-videos are refused by name."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from etbgm_mixer.media.ffmpeg import Unreadable
from etbgm_mixer.media.probe import Limits, TooLarge, probe
from tests.mixer.conftest import MakeClip

pytestmark = pytest.mark.process


def test_the_facts_of_a_clip(make_clip: MakeClip, limits: Limits) -> None:
    facts = probe(make_clip("a.mp4", "-c:v", "libx264", "-c:a", "aac", "-ac", "2"), limits)
    assert facts.duration_s == pytest.approx(2, abs=0.05)
    assert (facts.video.codec, facts.video.width, facts.video.height) == ("h264", 160, 120)
    assert facts.video.frame_rate == 25
    assert facts.audio and (facts.audio.codec, facts.audio.channels) == ("aac", 2)
    assert facts.notes == ()


def test_rotation_is_clockwise(test_data: Path, limits: Limits) -> None:
    assert probe(test_data / "vlog/vlog_o2_vertical_noise.mov", limits).video.rotation_degrees == 90


def test_a_cover_is_no_picture(make_clip: MakeClip, limits: Limits, tmp_path: Path) -> None:
    cover = make_clip("cover.png", "-frames:v", "1", tone=False)
    song = tmp_path / "song.mp4"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "sine=d=1",
        "-i",
        cover,
        "-map",
        "0",
        "-map",
        "1",
    ]
    subprocess.run([*command, "-c:v", "png", "-disposition:v", "attached_pic", song], check=True)
    with pytest.raises(Unreadable, match="no moving picture"):
        probe(song, limits)


def test_the_header_is_not_believed(make_clip: MakeClip, limits: Limits) -> None:
    clip = make_clip("a.mp4", "-c:v", "libx264", "-movflags", "faststart")
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) * 2 // 3])
    facts = probe(clip, limits)
    assert facts.duration_s < 1.9


@pytest.mark.parametrize(
    ("limit", "what"),
    [
        ({"max_size_bytes": 100}, "bytes"),
        ({"max_duration_s": 1.0}, "seconds"),
        ({"max_pixels": 1000}, "pixels"),
        ({"max_streams": 1}, "streams"),
    ],
)
def test_limits_are_named(make_clip: MakeClip, limits: Limits, limit: dict[str, float], what: str) -> None:
    clip = make_clip("a.mp4", "-c:v", "libx264")
    with pytest.raises(TooLarge, match=f"{what}, the limit"):
        probe(clip, replace(limits, **limit))


@pytest.mark.parametrize("content", [b"", b"no video", b"\x00" * 5000])
def test_other_files_are_refused(tmp_path: Path, limits: Limits, content: bytes) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=r"^video: "):
        probe(path, limits)


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {clip}\n",
    ],
    ids=["local playlist", "network playlist", "concat"],
)
def test_files_that_point_to_other_files_are_refused(
    make_clip: MakeClip, limits: Limits, tmp_path: Path, playlist: str
) -> None:
    clip = make_clip("a.ts", "-c:v", "libx264")
    path = tmp_path / "list.mp4"
    path.write_text(playlist.format(clip=clip))
    with pytest.raises(Unreadable):
        probe(path, limits)
