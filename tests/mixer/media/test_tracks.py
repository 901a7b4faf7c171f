"""Whatever a video's tracks carry is in the result, or a note names it."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from etbgm_kit.errors import InvalidField
from etbgm_mixer.media import containers, ffmpeg, mux
from etbgm_mixer.media.probe import Limits, probe
from etbgm_mixer.types import Container, MediaFacts
from tests.mixer.conftest import noise, write

pytestmark = pytest.mark.process

PICTURE = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=25:d=1"]
TONE = ["-f", "lavfi", "-i", "sine=440:d=1:r=48000"]
COVER = ["-f", "lavfi", "-i", "color=red:s=32x32:d=0.04"]
H264, HEVC = ["-c:v", "libx264"], ["-c:v", "libx265", "-x265-params", "log-level=none"]
HDR = ["-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"]
MP4, MOV, MKV, WEBM = Container.MP4, Container.MOV, Container.MKV, Container.WEBM

Listing = dict[str, Any]


@dataclass(frozen=True)
class Trait:
    """A source file by ffmpeg's arguments, and how to see the trait in a listing of the result."""

    name: str
    arguments: list[str]
    seen: Callable[[Listing], bool]


def stream(listing: Listing, kind: str, number: int = 0) -> Listing:
    found = [s for s in listing["streams"] if s["codec_type"] == kind]
    return found[number] if number < len(found) else {}


def tag(listing: Listing, name: str) -> str:
    tags: dict[str, str] = listing["format"].get("tags", {})
    return next((value for key, value in tags.items() if key.lower() == name), "")


def has_cover(listing: Listing) -> bool:
    return any(s["disposition"]["attached_pic"] for s in listing["streams"])


TRAITS = {
    "colours": Trait(
        "a.mp4", [*PICTURE, *TONE, *H264, *HDR],
        lambda found: stream(found, "video").get("color_transfer") == "smpte2084",
    ),
    "hevc": Trait(
        "a.mkv", [*PICTURE, *TONE, *HEVC], lambda found: stream(found, "video")["codec_tag_string"] == "hvc1"
    ),
    "language": Trait(
        "a.mp4", [*PICTURE, *TONE, *H264, "-metadata:s:a", "language=fra"],
        lambda found: stream(found, "audio")["tags"].get("language") == "fra",
    ),
    "audio title": Trait(
        "a.mkv", [*PICTURE, *TONE, *H264, "-metadata:s:a", "title=Mic"],
        lambda found: stream(found, "audio")["tags"].get("title") == "Mic",
    ),
    "tags": Trait(
        "a.mp4", [*PICTURE, *TONE, *H264, "-metadata", "title=Talk", "-metadata", "artist=Jane"],
        lambda found: (tag(found, "title"), tag(found, "artist")) == ("Talk", "Jane"),
    ),
    "place": Trait(
        "a.mov", [*PICTURE, *TONE, *H264, "-metadata", "location=+48.85+002.35/"],
        lambda found: tag(found, "location").startswith("+48.85"),
    ),
    "time code": Trait(
        "a.mov", [*PICTURE, *TONE, *H264, "-timecode", "01:02:03:04"],
        lambda found: stream(found, "video").get("tags", {}).get("timecode") == "01:02:03:04",
    ),
    "cover": Trait(
        "a.mp4", [*PICTURE, *TONE, *COVER, "-map", "0", "-map", "1", "-map", "2", *H264, "-c:v:1", "mjpeg",
                  "-disposition:v:1", "attached_pic"],
        has_cover,
    ),
    "second picture": Trait(
        "a.mkv", [*PICTURE, *TONE, *PICTURE, "-map", "0", "-map", "1", "-map", "2", *H264],
        lambda found: stream(found, "video", 1).get("codec_name") == "h264",
    ),
    "attachment": Trait(
        "a.mkv", [*PICTURE, *TONE, *H264, "-attach", __file__, "-metadata:s:t", "mimetype=font/ttf",
                  "-metadata:s:t", "filename=a.ttf"],
        lambda found: bool(stream(found, "attachment")),
    ),
}  # fmt: skip


def listed(path: Path) -> Listing:
    command = ["ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", path]
    facts: Listing = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return facts


def result(
    video: Path, limits: Limits, wanted: Container | None, keep_audio: bool = False
) -> tuple[Listing, tuple[str, ...], MediaFacts]:
    facts = probe(video, limits)
    container = containers.choose(facts, wanted)
    mixdown = write(video.with_name("mix.flac"), noise(facts.duration_s))
    output = video.with_name(f"result.{container}")
    notes = mux.mux(video, facts, mixdown, container, output, lambda _: None, 60, keep_audio)
    return listed(output), notes, facts


def made(tmp_path: Path, name: str, arguments: list[str]) -> Path:
    path = tmp_path / name
    subprocess.run(["ffmpeg", "-v", "error", "-y", *arguments, path], check=True)
    return path


@pytest.mark.parametrize(
    ("name", "container"),
    [
        *(("colours", container) for container in (MP4, MOV, MKV)),
        *(("hevc", container) for container in (MP4, MOV)),
        *(("language", container) for container in (MP4, MOV, MKV)),
        ("audio title", MKV),
        *(("tags", container) for container in (MP4, MOV, MKV)),
        *(("place", container) for container in (MP4, MOV, MKV)),
        *(("time code", container) for container in (MP4, MOV)),
        *(("cover", container) for container in (MP4, MKV)),
        *(("second picture", container) for container in (MP4, MOV, MKV)),
        ("attachment", MKV),
    ],
)
def test_a_trait_survives(tmp_path: Path, limits: Limits, name: str, container: Container) -> None:
    trait = TRAITS[name]
    listing, notes, _ = result(made(tmp_path, trait.name, trait.arguments), limits, container)
    assert trait.seen(listing)
    assert notes == ()


@pytest.mark.parametrize(
    ("name", "container", "note"),
    [
        ("attachment", MP4, "The attachment a.ttf was left out of the mp4 result."),
        ("attachment", MOV, "The attachment a.ttf was left out of the mov result."),
        ("cover", MOV, "The cover picture was left out of the mov result."),
    ],
)
def test_what_is_lost_is_named(
    tmp_path: Path, limits: Limits, name: str, container: Container, note: str
) -> None:
    trait = TRAITS[name]
    listing, notes, _ = result(made(tmp_path, trait.name, trait.arguments), limits, container)
    assert not trait.seen(listing)
    assert notes == (note,)


def test_webm_names_what_it_cannot_hold(tmp_path: Path, limits: Limits) -> None:
    vp8 = ["-c:v:0", "libvpx", "-c:v:1", "mjpeg", "-c:v:2", "libx264", "-disposition:v:0", "default"]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-map", "3"]
    video = made(tmp_path, "a.mkv", [*PICTURE, *TONE, *PICTURE, *PICTURE, *maps, *vp8, "-c:a", "libopus"])
    listing, notes, _ = result(video, limits, WEBM)
    assert len(listing["streams"]) == 2
    assert notes == (
        "A further picture in mjpeg was left out of the webm result.",
        "A further picture in h264 was left out of the webm result.",
    )


def test_a_rotated_picture_stays_rotated_or_is_refused(tmp_path: Path, limits: Limits) -> None:
    upright = made(tmp_path, "upright.mp4", [*PICTURE, *TONE, *H264])
    video = made(tmp_path, "a.mp4", ["-i", str(upright), "-c", "copy", "-metadata:s:v", "rotate=90"])
    for container in (MP4, MOV, None):
        _, _, facts = result(video, limits, container)
        written = probe(video.with_name(f"result.{container or MP4}"), limits)
        assert written.video.rotation_degrees == facts.video.rotation_degrees != 0
    with pytest.raises(InvalidField, match="mkv would lose the picture's rotation; mp4 keeps it"):
        result(video, limits, MKV)


def test_the_default_picture_is_the_main_one(tmp_path: Path, limits: Limits) -> None:
    large = ["-f", "lavfi", "-i", "testsrc=s=128x96:r=25:d=1"]
    maps = ["-map", "0", "-map", "1", "-map", "2", "-disposition:v:0", "0", "-disposition:v:1", "default"]
    listing, _, facts = result(made(tmp_path, "a.mkv", [*large, *TONE, *PICTURE, *maps, *H264]), limits, MKV)
    assert facts.video.width == 64
    assert [s["width"] for s in listing["streams"] if s["codec_type"] == "video"] == [64, 128]


@pytest.mark.parametrize("container", Container)
def test_chapters_survive(tmp_path: Path, limits: Limits, container: Container) -> None:
    (tmp_path / "meta").write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n")
    codec = ["-c:v", "libvpx"] if container is WEBM else H264
    sources = [*PICTURE, *TONE, "-f", "ffmetadata", "-i", str(tmp_path / "meta")]
    video = made(tmp_path, "a.mkv", [*sources, "-map_chapters", "2", *codec])
    result(video, limits, container)
    command = ["ffprobe", "-v", "error", "-show_entries", "chapter_tags=title", "-of", "csv=p=0"]
    shown = subprocess.run([*command, tmp_path / f"result.{container}"], capture_output=True, check=True)
    assert shown.stdout.split() == [b"One"]


def test_subtitles_keep_their_language_and_default(tmp_path: Path, limits: Limits) -> None:
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:00,900\nHello\n")
    words = ["-i", str(tmp_path / "a.srt"), "-i", str(tmp_path / "a.srt")]
    maps = [part for number in range(4) for part in ("-map", str(number))]
    marks = ["-metadata:s:s:0", "language=spa", "-metadata:s:s:1", "language=eng"]
    marks += ["-disposition:s:0", "0", "-disposition:s:1", "default"]
    video = made(tmp_path, "a.mkv", [*PICTURE, *TONE, *words, *maps, *H264, *marks])
    for container in (MKV, MP4):
        listing, _, _ = result(video, limits, container)
        first, second = stream(listing, "subtitle"), stream(listing, "subtitle", 1)
        assert (first["tags"]["language"], second["tags"]["language"]) == ("spa", "eng")
        assert (first["disposition"]["default"], second["disposition"]["default"]) == (0, 1)


@pytest.mark.parametrize(
    ("container", "codec", "notes"),
    [
        (MKV, "vorbis", ()),
        (MP4, "aac", ("An original track in vorbis was encoded anew for the mp4 result.",)),
    ],
)
def test_the_original_sound_follows_the_new_one(
    tmp_path: Path, limits: Limits, container: Container, codec: str, notes: tuple[str, ...]
) -> None:
    video = made(tmp_path, "a.mkv", [*PICTURE, *TONE, *H264, "-c:a", "libvorbis", "-ac", "2"])
    listing, told, _ = result(video, limits, container, keep_audio=True)
    assert stream(listing, "audio", 1)["codec_name"] == codec
    assert [s["disposition"]["default"] for s in listing["streams"] if s["codec_type"] == "audio"] == [1, 0]
    assert told == notes


@pytest.mark.parametrize("name", ["a.mxf", "a.dv"])
def test_studio_files_become_mov(tmp_path: Path, limits: Limits, name: str) -> None:
    sources = ["-f", "lavfi", "-i", "testsrc=s=720x576:r=25:d=1", *TONE, "-ac", "2", "-pix_fmt", "yuv420p"]
    codec = "mpeg2video" if name == "a.mxf" else "dvvideo"
    listing, notes, _ = result(made(tmp_path, name, [*sources, "-c:v", codec]), limits, None)
    assert stream(listing, "video")["codec_name"] == codec
    assert listing["format"]["tags"]["major_brand"].strip() == "qt"
    assert notes == ()


def test_other_formats_are_refused_with_those_that_are_read(tmp_path: Path, limits: Limits) -> None:
    with pytest.raises(ffmpeg.Unreadable, match=r"is no video that can be read; MP4, MOV, .* and DV are"):
        probe(made(tmp_path, "a.gif", PICTURE), limits)


def test_encrypted_files_are_called_encrypted(tmp_path: Path, limits: Limits) -> None:
    key = ["-encryption_key", "0" * 32, "-encryption_kid", "1" * 32]
    scheme = [*PICTURE, *TONE, *H264, "-encryption_scheme", "cenc-aes-ctr", *key]
    with pytest.raises(ffmpeg.Unreadable, match="video: is encrypted"):
        probe(made(tmp_path, "a.mp4", scheme), limits)


def test_records_of_a_360_degree_picture(test_data: Path, tmp_path: Path, limits: Limits) -> None:
    for container in (MP4, MKV, MOV):
        video = tmp_path / "a.mp4"
        video.write_bytes((test_data / "field/sph360.mp4").read_bytes())
        listing, notes, _ = result(video, limits, container)
        kept = [data["side_data_type"] for data in stream(listing, "video").get("side_data_list", [])]
        lost = container is MOV
        assert ("Spherical Mapping" in kept) != lost
        assert bool(notes) == lost


def test_tracks_of_a_phone(test_data: Path, tmp_path: Path, limits: Limits) -> None:
    video = tmp_path / "a.mov"
    video.write_bytes((test_data / "video/real/ax_sample_with_color_info.mp4").read_bytes())
    listing, notes, _ = result(video, limits, None)
    picture = stream(listing, "video")
    assert "DOVI configuration record" in [data["side_data_type"] for data in picture["side_data_list"]]
    assert picture["codec_tag_string"] == "hvc1"
    assert listing["format"]["tags"]["com.apple.quicktime.make"] == "Apple"
    assert notes == ("A data track (mebx) was left out of the mp4 result.",)
