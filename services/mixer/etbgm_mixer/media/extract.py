"""Extracts a video's sound, timed from the video's first instant."""

from pathlib import Path
from typing import Any

from etbgm_mixer.loudness import SAMPLE_RATE_HZ
from etbgm_mixer.media import commands, ffmpeg
from etbgm_mixer.types import AudioStream, MediaFacts, OnProgress

MOST_KNOWN_CHANNELS = 8
"""ffmpeg assumes a layout for up to this many channels; it cannot fold more without one."""


def extract_audio(
    video: Path,
    facts: MediaFacts,
    sound: Path,
    on_progress: OnProgress,
    timeout_s: float,
    streams: tuple[AudioStream, ...] = (),
) -> None:
    """Writes the sum of `streams`, by default that of `facts`, to `sound`, exactly as long as the video.

    It is FLAC, 24 bit, 48 kHz; mono if all streams are, otherwise stereo. Sample 0 is at the video's first
    instant. Gaps become silence; undecodable data is skipped. Raises Unreadable, TimeoutError.
    """
    assert facts.audio is not None
    streams = streams or (facts.audio,)
    length = round(facts.duration_s * SAMPLE_RATE_HZ)
    source, start = commands.source(video), f"PTS-({facts.origin_s:.6f})/TB"
    timed = [source[str(stream.index)].filter("asetpts", start) for stream in streams]
    heard = commands.summed([_folded(*one) for one in zip(timed, streams, strict=True)])
    heard = heard.filter("apad", whole_len=length).filter("atrim", end_sample=length)
    coding = {
        "ac": min(2, max(stream.channels for stream in streams)),
        "c:a": "flac",
        "sample_fmt": "s32",
        "bits_per_raw_sample": 24,
        "compression_level": 2,
    }
    command = commands.writing([heard], sound, coding)
    ffmpeg.convert(command, facts.duration_s, on_progress, timeout_s, "has sound that cannot be decoded")


def has_no_layout(stream: AudioStream) -> bool:
    """Returns whether the stream has more channels than can be folded by a usual layout."""
    return not stream.layout and stream.channels > MOST_KNOWN_CHANNELS


def _folded(heard: Any, stream: AudioStream) -> Any:
    """Returns the stream at 48 kHz without gaps; unknown channels go to the left and right in turn.

    They are scaled down so that their sum cannot clip ("<").
    """
    if has_no_layout(stream):
        sides = ["+".join(f"c{i}" for i in range(side, stream.channels, 2)) for side in (0, 1)]
        heard = heard.filter("pan", f"stereo|c0<{sides[0]}|c1<{sides[1]}")
    return heard.filter("aresample", SAMPLE_RATE_HZ, **{"async": 1}, first_pts=0, min_hard_comp=0.02)
