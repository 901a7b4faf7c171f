"""Combines the new sound with the original picture, whose packets are copied unchanged."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from etbgm_kit.media.waveform import Samples
from etbgm_mixer.loudness import SAMPLE_RATE_HZ
from etbgm_mixer.media import commands, ffmpeg, tracks
from etbgm_mixer.media.ffmpeg import Unreadable
from etbgm_mixer.media.tracks import Cover, Listing, Plan
from etbgm_mixer.types import Container, MediaFacts, OnProgress

_AAC = {"c:a": "aac", "b:a": "192k"}
"""The fast coder takes two thirds of the time, but its error from 4 to 16 kHz is 12 dB larger (ffmpeg 5).

The default coder of FFmpeg 8 takes a fifth less time than that of ffmpeg 5, but of 12,000 frames it left 13
with an error above -30 dBFS instead of 3, one of them above -21. The true peak of such a frame can make the
mixer encode everything again. Without noise substitution and intensity stereo, ffmpeg 5 left 18, FFmpeg 8 30.
"""
_OPUS = {"c:a": "libopus", "b:a": "160k"}
_SOUND = {Container.MP4: _AAC, Container.MOV: _AAC, Container.WEBM: _OPUS, Container.MKV: _OPUS}
"""Matroska stores the delay of Opus but not of AAC, so Opus keeps the sound in sync there."""

OPUS_DELAY_S = 312 / 48000
"""Seconds that libopus's first packet is early (look-ahead); ffmpeg's Matroska muxer does not correct it."""


class Incomplete(Unreadable):
    """The result would lack a part of the video."""

    reason = "INCOMPLETE_RESULT"


def encoder(output: Path, timeout_s: float) -> AbstractContextManager[Callable[[Samples], None]]:
    """Returns a context in which blocks of (samples, 2) are written as AAC in MP4.

    It takes them at the speed of the coder. Raises Unreadable, TimeoutError, OSError.
    """
    options = {**_AAC, "movflags": "+faststart", "f": "mp4"}
    command = commands.reading(2, SAMPLE_RATE_HZ, output, options)
    return ffmpeg.fed(command, timeout_s, "has a sound that cannot be encoded")


def copies_sound(container: Container) -> bool:
    """Whether results in the container get what `encoder` wrote as it is."""
    return _SOUND[container] is _AAC


def sound_s(result: Path, timeout_s: float) -> float:
    """Returns the seconds of the first sound in MP4 or MOV. Raises Unreadable."""
    streams = ffmpeg.inspect(result, timeout_s)["streams"]
    lengths = [float(each["duration"]) for each in streams if each["codec_type"] == "audio"]
    return lengths[0] if lengths else 0.0


def mux(
    video: Path,
    facts: MediaFacts,
    mixdown: Path,
    container: Container,
    output: Path,
    on_progress: OnProgress,
    timeout_s: float,
    keep_audio: bool = False,
    encoded: Path | None = None,
    listing: Listing | None = None,
) -> tuple[str, ...]:
    """Writes all of `video` that `container` holds, with the sound of `mixdown`; returns notes on the rest.

    `keep_audio` adds the video's own audio tracks. `encoded` is what `encoder` made of `mixdown`; containers
    with AAC get a copy of it. `listing` is what `ffmpeg.inspect` says of `video`, if known.
    Raises Unreadable, TimeoutError, Incomplete.
    """
    plan = tracks.plan(listing or ffmpeg.inspect(video, timeout_s), facts, container, keep_audio)
    if plan.cover:
        plan.options |= _attached(video, plan.cover, output.parent, timeout_s)
    command = _command(video, facts, (mixdown, encoded), container, output, plan)
    otherwise = f"has a picture of {facts.video.codec} that cannot be copied into {container}"
    pictures = ffmpeg.convert(command, facts.duration_s, on_progress, timeout_s, otherwise)
    if pictures < facts.video.packets:
        raise Incomplete("video", f"has {facts.video.packets} pictures, of which {pictures} could be copied")
    return tuple(dict.fromkeys(plan.notes))


def _attached(video: Path, cover: Cover, folder: Path, timeout_s: float) -> dict[str, str]:
    """Writes the cover picture to `folder`; returns the options that attach it."""
    index, (name, media_type) = cover
    options = {"c": "copy", "frames:v": 1, "f": "image2", "update": 1}
    command = commands.writing([commands.source(video)[str(index)]], folder / name, options)
    ffmpeg.convert(command, 1.0, lambda _: None, timeout_s, "has a cover that cannot be copied")
    return {"attach": str(folder / name), "metadata:s:t": f"mimetype={media_type}"}


def _command(
    video: Path,
    facts: MediaFacts,
    sound: tuple[Path, Path | None],
    container: Container,
    output: Path,
    plan: Plan,
) -> commands.Command:
    source, (mixdown, encoded) = commands.shifted(video, facts.origin_s), sound
    coding: dict[str, Any] = {}
    if _SOUND[container] is _OPUS:
        new = commands.own(mixdown, itsoffset=OPUS_DELAY_S)["a"]
    elif encoded:
        new, coding = commands.own(encoded)["a"], {"c:a:0": "copy"}
    else:
        new = commands.own(mixdown)["a"]
    streams = [source[str(facts.video.index)], new, *(source[str(index)] for index in plan.indexes)]
    options: dict[str, Any] = {
        "c": "copy",
        **_SOUND[container],
        **coding,
        "copyinkf": None,
        "map_metadata": 0,
        "map_chapters": 0,
        "max_interleave_delta": 0,
        "avoid_negative_ts": "disabled",
        "strict": "unofficial",
        "disposition:a:0": "default",
    }
    if container in (Container.MP4, Container.MOV):
        options |= {"write_tmcd": 1, "f": container.value}
    return commands.writing(streams, output, options | plan.options)
