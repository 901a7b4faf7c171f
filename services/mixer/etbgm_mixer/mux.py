"""Combines the new sound with the original picture, whose packets are copied unchanged."""

from pathlib import Path

from etbgm_kit.errors import InvalidField
from etbgm_mixer import ffmpeg
from etbgm_mixer.probe import TEXT_SUBTITLES
from etbgm_mixer.types import Container, MediaFacts, OnProgress

_ISO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "mpeg2video", "mpeg1video", "vvc"})
_MOV = _ISO | {"prores", "dnxhd", "h263", "qtrle", "rawvideo", "cinepak", "svq3", "png"}
_WEBM = frozenset({"vp8", "vp9", "av1"})

_SOUND = {
    Container.MP4: ("-c:a", "aac", "-b:a", "192k"),
    Container.MOV: ("-c:a", "aac", "-b:a", "192k"),
    Container.WEBM: ("-c:a", "libopus", "-b:a", "160k"),
    Container.MKV: ("-c:a", "libopus", "-b:a", "160k"),
}
"""Matroska stores the delay of Opus but not of AAC, so Opus keeps the sound in sync there."""

OPUS_DELAY_S = 312 / 48000
"""Seconds that libopus's first packet is early (look-ahead); ffmpeg's Matroska muxer does not correct it."""

_SUBTITLES = {
    Container.MP4: "mov_text",
    Container.MOV: "mov_text",
    Container.WEBM: "webvtt",
    Container.MKV: "srt",
}

MEDIA_TYPES = {
    Container.MP4: "video/mp4",
    Container.MOV: "video/quicktime",
    Container.WEBM: "video/webm",
    Container.MKV: "video/x-matroska",
}


def holds(container: Container, codec: str) -> bool:
    """Returns whether `container` can hold a picture of `codec`."""
    codecs = {Container.MP4: _ISO, Container.MOV: _MOV, Container.WEBM: _WEBM}
    return container is Container.MKV or codec in codecs[container]


def choose(facts: MediaFacts, wanted: Container | None) -> Container:
    """Returns `wanted`, or else the container closest to the original that can hold the picture.

    Raises InvalidField, which names a suitable container, if `wanted` cannot hold the picture.
    """
    codec = facts.video.codec
    if wanted:
        if not holds(wanted, codec):
            fits = next(c for c in Container if holds(c, codec))
            raise InvalidField("container", f"{wanted} cannot hold a picture of {codec}; {fits} can")
        return wanted
    if facts.brand == "qt":
        likely = Container.MOV
    elif "matroska" in facts.container:
        likely = Container.WEBM if codec in ("vp8", "vp9") else Container.MKV
    else:
        likely = Container.MP4
    return likely if holds(likely, codec) else Container.MKV


def mux(
    video: Path,
    facts: MediaFacts,
    mixdown: Path,
    container: Container,
    output: Path,
    on_progress: OnProgress,
    timeout_s: float,
) -> None:
    """Writes the picture, subtitles, chapters and metadata of `video` with the sound of `mixdown`.

    Raises Unreadable, TimeoutError.
    """
    shift = ["-copyts", "-itsoffset", f"{-facts.origin_s:.6f}"]
    delay = ["-itsoffset", str(OPUS_DELAY_S)] if "libopus" in _SOUND[container] else []
    inputs: ffmpeg.Command = [*shift, *ffmpeg.SAFELY, "-i", video, *delay, "-i", mixdown]
    maps = ["-map", f"0:{facts.video.index}", "-map", "1:a", "-map_metadata", "0", "-map_chapters", "0"]
    maps += [part for stream in facts.subtitles for part in ("-map", f"0:{stream.index}")]
    coding = ["-c:v", "copy", *_SOUND[container]]
    for number, stream in enumerate(facts.subtitles):
        coding += [f"-c:s:{number}", _subtitle_codec(container, stream.codec)]
    options = ["-max_interleave_delta", "0", "-avoid_negative_ts", "disabled", "-disposition:a", "default"]
    if container in (Container.MP4, Container.MOV):
        options += ["-movflags", "+faststart+use_metadata_tags", "-f", container.value]
    arguments = [*inputs, *maps, *coding, *options, output]
    otherwise = f"has a picture of {facts.video.codec} that cannot be copied into {container}"
    ffmpeg.convert(arguments, facts.duration_s, on_progress, timeout_s, otherwise)


def _subtitle_codec(container: Container, codec: str) -> str:
    if container is Container.MKV and codec in TEXT_SUBTITLES - {"mov_text"}:
        return "copy"
    return "copy" if codec == _SUBTITLES[container] else _SUBTITLES[container]
