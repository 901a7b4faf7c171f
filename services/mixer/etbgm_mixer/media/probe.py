"""Probes a video. Headers can state wrong durations, so the packets are read instead."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from etbgm_mixer.media import ffmpeg, packets
from etbgm_mixer.media.ffmpeg import Unreadable
from etbgm_mixer.media.packets import Packets
from etbgm_mixer.types import AudioStream, MediaFacts, SubtitleStream, VideoStream

TEXT_SUBTITLES = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})
"""Subtitle codecs that hold text; the others hold images of text."""

LIE_S = 1.0
"""A larger error of the header's duration leads to a note."""

PRIMING_S = 0.15
"""Sound may begin this much before time 0: the encoder's delay, which players leave out."""

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
    """Returns the facts of the video at `path`. Raises Unreadable, TooLarge.

    If they are not `is_steady`, the file must be rebuilt and probed again (see `clock.py`).
    """
    size_bytes = path.stat().st_size
    _limit("bytes", size_bytes, limits.max_size_bytes)
    if not size_bytes:
        raise Unreadable("video", "is empty")
    facts = ffmpeg.inspect(path, limits.probe_timeout_s)
    streams: list[Facts] = facts.get("streams", [])
    _limit("streams", len(streams), limits.max_streams)
    video, audio = _video(streams), _audio(streams)
    _limit("pixels", video.width * video.height, limits.max_pixels)
    container = facts["format"]
    restarting = container["format_name"] in packets.RESTARTING
    judged = [video.index, *(stream.index for stream in audio)]
    found = packets.read(path, judged, restarting, limits.max_duration_s, limits.probe_timeout_s)
    if not found.counts.get(video.index):
        raise Unreadable("video", "has no picture: not one frame was found")
    origin_s, duration_s = _extent(found, judged[:2], _stated_start_s(container))
    _limit("seconds", duration_s, limits.max_duration_s)
    return MediaFacts(
        container=container["format_name"],
        brand=container.get("tags", {}).get("major_brand", "").strip(),
        origin_s=origin_s,
        duration_s=duration_s,
        size_bytes=size_bytes,
        video=replace(video, packets=found.counts[video.index]),
        audio=audio[0] if audio else None,
        other_audio=tuple(audio[1:]),
        subtitles=tuple(_subtitles(streams)),
        notes=_notes(container, duration_s) if found.is_steady else (),
        is_steady=found.is_steady,
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
    stream = max(pictures, key=lambda s: (_disposition(s, "default"), _pixels(s), -s["index"]))
    if stream.get("codec_name", "unknown") in ("unknown", "none") or not stream.get("width"):
        raise Unreadable("video", "has a picture of an unknown codec")
    return VideoStream(
        index=stream["index"],
        codec=stream["codec_name"],
        width=stream["width"],
        height=stream["height"],
        frame_rate=_ratio(stream.get("avg_frame_rate", "0/0")),
        rotation_degrees=_rotation(stream),
        records=tuple(data.get("side_data_type", "") for data in stream.get("side_data_list", [])),
    )


def _audio(streams: list[Facts]) -> list[AudioStream]:
    """Returns the streams that can be decoded, the default one first."""
    usable = [s for s in streams if s.get("codec_type") == "audio" and int(s.get("sample_rate", 0))]
    usable = [s for s in usable if s.get("channels") and s.get("codec_name")]
    usable.sort(key=lambda s: -_disposition(s, "default"))
    return [
        AudioStream(
            s["index"], s["codec_name"], int(s["sample_rate"]), s["channels"], s.get("channel_layout", "")
        )
        for s in usable
    ]


def _subtitles(streams: list[Facts]) -> list[SubtitleStream]:
    found = []
    for stream in streams:
        if stream.get("codec_type") != "subtitle" or stream.get("codec_name") not in TEXT_SUBTITLES:
            continue
        flags = {name for name, flag in stream.get("disposition", {}).items() if flag}
        found.append(
            SubtitleStream(
                index=stream["index"],
                codec=stream["codec_name"],
                language=stream.get("tags", {}).get("language", ""),
                is_default="default" in flags,
                is_partial=bool(flags & {"forced", "comment"}),
                is_hearing_impaired="hearing_impaired" in flags,
            )
        )
    return found


def _is_cover(stream: Facts) -> bool:
    return bool(_disposition(stream, "attached_pic"))


def _disposition(stream: Facts, name: str) -> int:
    return int(stream.get("disposition", {}).get(name, 0))


def _pixels(stream: Facts) -> int:
    return int(stream.get("width", 0) * stream.get("height", 0))


def _ratio(text: str) -> float:
    over, _, under = text.partition("/")
    return float(over) / float(under) if float(under or 1) else 0.0


def _rotation(stream: Facts) -> int:
    """Returns the rotation clockwise; ffprobe reports it counter-clockwise."""
    turns = [data["rotation"] for data in stream.get("side_data_list", []) if "rotation" in data]
    return round(-turns[0] / 90) * 90 % 360 if turns else 0


def _extent(found: Packets, indexes: list[int], stated_start_s: float) -> tuple[float, float]:
    """Returns the first instant and the duration of these streams; (0, 0) if their times are meaningless."""
    if not found.is_steady:
        return 0.0, 0.0
    ends_s = [found.ends_s[index] for index in indexes if index in found.ends_s]
    origin_s = stated_start_s if stated_start_s < -PRIMING_S else max(0.0, stated_start_s)
    duration_s = max(ends_s, default=0.0) - origin_s
    if duration_s <= 0:
        raise Unreadable("video", "lasts no time")
    return origin_s, duration_s


def _stated_start_s(container: Facts) -> float:
    return float(container.get("start_time", 0))


def _notes(container: Facts, duration_s: float) -> tuple[str, ...]:
    stated_s = float(container.get("duration", duration_s))
    if "matroska" in container["format_name"]:  # it states the end, not the duration
        stated_s -= max(0.0, _stated_start_s(container))
    if abs(stated_s - duration_s) <= LIE_S:
        return ()
    return (f"The file's header states {stated_s:.1f} s, but the video lasts {duration_s:.1f} s.",)
