"""Extracts a video's sound and captions, timed from the video's first instant."""

from pathlib import Path

from etbgm_mixer import ffmpeg
from etbgm_mixer.loudness import SAMPLE_RATE_HZ
from etbgm_mixer.types import MediaFacts, OnProgress

CAPTION_TIMEOUT_S = 120.0


def extract_audio(
    video: Path, facts: MediaFacts, sound: Path, on_progress: OnProgress, timeout_s: float
) -> None:
    """Writes the sound to `sound`: FLAC, 24 bit, 48 kHz, mono or stereo, exactly as long as the video.

    Sample 0 is at the video's first instant. Gaps become silence; undecodable data is
    skipped. Raises Unreadable, TimeoutError.
    """
    assert facts.audio is not None
    length = round(facts.duration_s * SAMPLE_RATE_HZ)
    channels = min(facts.audio.channels, 2)
    filters = (
        f"asetpts=PTS-({facts.origin_s})/TB",
        f"aresample={SAMPLE_RATE_HZ}:async=1:first_pts=0:min_hard_comp=0.02",
        f"apad=whole_len={length}",
        f"atrim=end_sample={length}",
    )
    source: ffmpeg.Command = [
        "-copyts",
        *ffmpeg.SAFELY,
        "-i",
        video,
        "-map",
        f"0:{facts.audio.index}",
        "-vn",
        "-sn",
        "-dn",
    ]
    coding = ["-ac", str(channels), "-c:a", "flac", "-sample_fmt", "s32", "-bits_per_raw_sample", "24"]
    ffmpeg.convert(
        [*source, "-af", ",".join(filters), *coding, "-compression_level", "2", sound],
        facts.duration_s, on_progress, timeout_s, "has sound that cannot be decoded",
    )  # fmt: skip


def extract_captions(video: Path, facts: MediaFacts, captions: Path) -> None:
    """Writes the first text subtitle stream to `captions` as WebVTT. Raises Unreadable, TimeoutError."""
    index = facts.subtitles[0].index
    shift = ["-copyts", "-itsoffset", f"{-facts.origin_s:.6f}"]
    source: ffmpeg.Command = [*shift, *ffmpeg.SAFELY, "-i", video, "-map", f"0:{index}", "-c:s", "webvtt"]
    otherwise = "has subtitles that cannot be read"
    ffmpeg.convert([*source, captions], facts.duration_s, lambda _: None, CAPTION_TIMEOUT_S, otherwise)
