"""Plans which tracks of a video go into the result, and names what its container cannot hold."""

from dataclasses import dataclass, field
from typing import Any

from etbgm_mixer.media.containers import RECORDS, TURNING, holds, holds_sound
from etbgm_mixer.media.probe import TEXT_SUBTITLES
from etbgm_mixer.types import Container, MediaFacts

SOUND = 1
"""The new sound's number among all tracks of the result; it follows the picture."""

Listing = dict[str, Any]
"""What `ffmpeg.inspect` returns."""

_SUBTITLES = {
    Container.MP4: "mov_text",
    Container.MOV: "mov_text",
    Container.WEBM: "webvtt",
    Container.MKV: "srt",
}
"""The codec to which other text is converted."""

_COVERS = {"mjpeg": ("cover.jpg", "image/jpeg"), "png": ("cover.png", "image/png")}
"""File names and media types of cover pictures, by their codec."""

_REMADE_TAGS = frozenset({"tmcd", "text"})
"""Data tracks that the muxer writes anew from the time code and the chapters."""

_KEPT_TAGS = frozenset(
    {
        *("title", "artist", "album_artist", "composer", "album", "date", "encoder", "comment", "genre"),
        *("copyright", "grouping", "lyrics", "description", "synopsis", "show", "episode_id", "network"),
        *(
            "keywords",
            "episode_sort",
            "software",
            "season_number",
            "media_type",
            "hd_video",
            "gapless_playback",
        ),
        *("compilation", "track", "disc", "creation_time", "timecode", "location", "location-eng"),
        *("major_brand", "minor_version", "compatible_brands"),
    }
)
"""Tags that MP4 has fields for, and those of the container itself."""

_QUICKTIME = ("com.apple.quicktime.", "com.android.")

Cover = tuple[int, tuple[str, str]]
"""Its index in the video, and the attachment's name and media type."""


@dataclass
class Plan:
    """The tracks besides the picture and the new sound: `indexes` in the video, output `options`, notes.

    Matroska holds a `cover` as an attachment.
    """

    indexes: list[int] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    cover: Cover | None = None


def plan(listing: Listing, facts: MediaFacts, container: Container, keep_audio: bool) -> Plan:
    """Returns the plan for the video that `listing` describes; `keep_audio` keeps its own sound too."""
    planner = _Planner(facts, container)
    streams = listing.get("streams", [])
    planner.picture(next(s for s in streams if s["index"] == facts.video.index))
    planner.sound([s for s in streams if s.get("codec_type") == "audio"], keep_audio)
    for stream in streams:
        if stream["index"] != facts.video.index and stream.get("codec_type") != "audio":
            planner.other(stream)
    planner.tags(listing["format"].get("tags", {}))
    return planner.plan


class _Planner:
    def __init__(self, facts: MediaFacts, container: Container) -> None:
        self.plan = Plan()
        self._facts, self._container = facts, container
        self._counts = {"v": 1, "a": 1, "s": 0}

    def picture(self, stream: Listing) -> None:
        """Keeps the picture's tag and records."""
        self._tag_hevc(stream, 0)
        if self._container is Container.MOV:
            for record in RECORDS.keys() & set(self._facts.video.records):
                self._note(f"The {RECORDS[record]}")

    def sound(self, streams: list[Listing], keep: bool) -> None:
        """Gives the new sound the language of the one that it replaces; keeps all if asked."""
        for stream in streams:
            tags = stream.get("tags", {})
            if self._facts.audio and stream["index"] == self._facts.audio.index:
                self._describe_sound(tags)
            if not keep:
                continue
            number = self._add(stream, "a")
            codec = stream.get("codec_name", "")
            if holds_sound(self._container, codec):
                self.plan.options[f"c:a:{number}"] = "copy"
            else:
                self._note(f"An original track in {codec}", "was encoded anew for")
            self.plan.options[f"disposition:a:{number}"] = "0"

    def other(self, stream: Listing) -> None:
        """Keeps a further picture, cover, subtitles or attachment, or says that it is left out."""
        kind, codec = stream.get("codec_type", ""), stream.get("codec_name", "unknown")
        if kind == "video":
            self._further_video(stream, codec)
        elif kind == "subtitle":
            self._subtitle(stream, codec)
        elif kind == "attachment":
            self._attachment(stream)
        elif kind == "data":
            self._data(stream)

    def tags(self, tags: dict[str, str]) -> None:
        """Stores tags as QuickTime keys if some are, otherwise in the fields that players show."""
        if self._container not in TURNING or self._facts.container == "mxf":  # its tags describe the tools
            return
        if any(key.startswith(_QUICKTIME) for key in tags):
            self.plan.options["movflags"] = "+faststart+use_metadata_tags"
            return
        self.plan.options["movflags"] = "+faststart"
        lost = sorted(key for key in tags if key.lower() not in _KEPT_TAGS)
        if lost:
            self._note(f"Tags that it has no fields for ({', '.join(lost)})", "were left out of")

    def _cover(self, stream: Listing, codec: str) -> None:
        if self._container in (Container.MOV, Container.WEBM) or codec not in _COVERS:
            self._note("The cover picture")
            return
        if self._container is Container.MKV:
            self.plan.cover = (stream["index"], _COVERS[codec])
            return
        number = self._add(stream, "v")
        self.plan.options[f"disposition:v:{number}"] = "attached_pic"

    def _further_video(self, stream: Listing, codec: str) -> None:
        if stream.get("disposition", {}).get("attached_pic"):
            self._cover(stream, codec)
        elif not holds(self._container, codec):
            self._note(f"A further picture in {codec}")
        else:
            self._tag_hevc(stream, self._add(stream, "v"))

    def _subtitle(self, stream: Listing, codec: str) -> None:
        if codec not in TEXT_SUBTITLES:
            fits = self._container is Container.MKV or (
                codec == "dvd_subtitle" and self._container in TURNING
            )
            if not fits:
                self._note(f"A subtitle track in {codec}")
                return
            target = "copy"
        else:
            target = self._text_codec(codec)
        self.plan.options[f"c:s:{self._add(stream, 's')}"] = target

    def _text_codec(self, codec: str) -> str:
        if self._container is Container.MKV and codec not in ("mov_text", "text"):
            return "copy"
        return "copy" if codec == _SUBTITLES[self._container] else _SUBTITLES[self._container]

    def _attachment(self, stream: Listing) -> None:
        if self._container is Container.MKV:
            self.plan.indexes.append(stream["index"])
        else:
            self._note(f"The attachment {stream.get('tags', {}).get('filename', 'without a name')}")

    def _data(self, stream: Listing) -> None:
        tag = stream.get("codec_tag_string", "")
        if tag not in _REMADE_TAGS:
            self._note(f"A data track ({tag})")

    def _tag_hevc(self, stream: Listing, number: int) -> None:
        if stream.get("codec_name") == "hevc" and self._container in TURNING:
            self.plan.options[f"tag:v:{number}"] = "hvc1"  # Apple's players refuse hev1

    def _add(self, stream: Listing, kind: str) -> int:
        """Adds a track; returns its number among the output's tracks of that kind."""
        self.plan.indexes.append(stream["index"])
        number = self._counts[kind]
        self._counts[kind] += 1
        return number

    def _describe_sound(self, tags: dict[str, str]) -> None:
        # The same track by two names, because ffmpeg-python writes each option once.
        for key, name in (("language", "metadata:s:a:0"), ("title", f"metadata:s:{SOUND}")):
            if key in tags:
                self.plan.options[name] = f"{key}={tags[key]}"

    def _note(self, what: str, instead: str = "was left out of") -> None:
        self.plan.notes.append(f"{what} {instead} the {self._container} result.")
