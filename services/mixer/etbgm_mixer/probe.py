"""Probes a video. Headers can state wrong durations, so the packets are read instead."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etbgm_mixer import ffmpeg
from etbgm_mixer.ffmpeg import Unreadable
from etbgm_mixer.types import AudioStream, MediaFacts, SubtitleStream, VideoStream

TEXT_SUBTITLES = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})
"""Subtitle codecs that hold text; the others hold images of text."""

LIE_S = 1.0
"""A larger error of the header's duration leads to a note."""

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """The operator's limits; see the settings of the same names."""

    max_size_bytes: int
    max_duration_s: float
    max_pixels: int
    max_streams: int
    probe_timeout_s: float


class TooLarge(Unreadable):
    """The video exceeds one of the operator's limits."""

    reason = "OVER_LIMIT"


def probe(path: Path, limits: Limits) -> MediaFacts:
    """Returns the facts of the video at `path`. Raises Unreadable, TooLarge."""
    size_bytes = path.stat().st_size
    _limit("bytes", size_bytes, limits.max_size_bytes)
    if not size_bytes:
        raise Unreadable("video", "is empty")
    facts = ffmpeg.inspect(path, limits.probe_timeout_s)
    streams: list[Facts] = facts.get("streams", [])
    _limit("streams", len(streams), limits.max_streams)
    video, audio = _video(streams), _audio(streams)
    _limit("pixels", video.width * video.height, limits.max_pixels)
    ends_s = _ends(path, limits)
    if video.index not in ends_s:
        raise Unreadable("video", "has no picture: not one frame was found")
    container = facts["format"]
    origin_s = max(0.0, float(container.get("start_time", 0)))
    duration_s = max(ends_s[s.index] for s in (video, audio) if s and s.index in ends_s) - origin_s
    if duration_s <= 0:
        raise Unreadable("video", "lasts no time")
    return MediaFacts(
        container=container["format_name"],
        brand=container.get("tags", {}).get("major_brand", "").strip(),
        origin_s=origin_s,
        duration_s=duration_s,
        size_bytes=size_bytes,
        video=video,
        audio=audio,
        subtitles=tuple(_subtitles(streams)),
        notes=_notes(float(container.get("duration", duration_s)), duration_s),
    )


def check_limits(facts: MediaFacts, limits: Limits) -> None:
    """Raises TooLarge if the facts of a video that was probed earlier exceed `limits`."""
    _limit("bytes", facts.size_bytes, limits.max_size_bytes)
    _limit("pixels", facts.video.width * facts.video.height, limits.max_pixels)
    _limit("seconds", facts.duration_s, limits.max_duration_s)


def _limit(what: str, value: float, most: float) -> None:
    if value > most:
        raise TooLarge("video", f"has {value:,.0f} {what}, the limit is {most:,.0f}", limit=what)


def _video(streams: list[Facts]) -> VideoStream:
    pictures = [s for s in streams if s.get("codec_type") == "video" and not _is_cover(s)]
    if not pictures:
        raise Unreadable("video", "has no moving picture")
    stream = max(pictures, key=lambda s: (s.get("width", 0) * s.get("height", 0), -s["index"]))
    if stream.get("codec_name", "unknown") in ("unknown", "none") or not stream.get("width"):
        raise Unreadable("video", "has a picture of an unknown codec")
    return VideoStream(
        index=stream["index"],
        codec=stream["codec_name"],
        width=stream["width"],
        height=stream["height"],
        frame_rate=_ratio(stream.get("avg_frame_rate", "0/0")),
        rotation_degrees=_rotation(stream),
    )


def _audio(streams: list[Facts]) -> AudioStream | None:
    usable = [s for s in streams if s.get("codec_type") == "audio" and int(s.get("sample_rate", 0))]
    usable = [s for s in usable if s.get("channels") and s.get("codec_name")]
    if not usable:
        return None
    stream = max(usable, key=lambda s: s.get("disposition", {}).get("default", 0))
    return AudioStream(stream["index"], stream["codec_name"], int(stream["sample_rate"]), stream["channels"])


def _subtitles(streams: list[Facts]) -> list[SubtitleStream]:
    return [
        SubtitleStream(s["index"], s["codec_name"], s.get("tags", {}).get("language", ""))
        for s in streams
        if s.get("codec_type") == "subtitle" and s.get("codec_name") in TEXT_SUBTITLES
    ]


def _is_cover(stream: Facts) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _ratio(text: str) -> float:
    over, _, under = text.partition("/")
    return float(over) / float(under) if float(under or 1) else 0.0


def _rotation(stream: Facts) -> int:
    """Returns the rotation clockwise; ffprobe reports it counter-clockwise."""
    turns = [data["rotation"] for data in stream.get("side_data_list", []) if "rotation" in data]
    return round(-turns[0] / 90) * 90 % 360 if turns else 0


def _ends(path: Path, limits: Limits) -> dict[int, float]:
    """Returns the end of each stream with packets, by index, in seconds on the container's clock."""
    fields = "packet=stream_index,pts_time,duration_time,flags"
    command: ffmpeg.Command = [
        "ffprobe",
        "-v",
        "quiet",
        *ffmpeg.SAFELY,
        "-show_entries",
        fields,
        "-of",
        "csv=p=0",
        path,
    ]
    ends_s: dict[int, float] = {}
    last_s: dict[int, float] = {}
    start_s = None
    try:
        with closing(ffmpeg.rows(command, limits.probe_timeout_s)) as rows:
            for row in rows:
                if not row[0].isdigit() or len(row) < 4 or row[1] == "N/A" or "D" in row[3]:  # D: discard
                    continue
                index, at_s = int(row[0]), float(row[1])
                last_s[index] = float(row[2]) if row[2] != "N/A" else last_s.get(index, 0.0)
                ends_s[index] = max(ends_s.get(index, 0.0), at_s + last_s[index])
                start_s = at_s if start_s is None else min(start_s, at_s)
                _limit("seconds", ends_s[index] - start_s, limits.max_duration_s)
    except TimeoutError:
        raise Unreadable("video", f"could not be looked through in {limits.probe_timeout_s:.0f} s") from None
    return ends_s


def _notes(stated_s: float, duration_s: float) -> tuple[str, ...]:
    if abs(stated_s - duration_s) <= LIE_S:
        return ()
    return (f"The file's header states {stated_s:.1f} s, but the video lasts {duration_s:.1f} s.",)
