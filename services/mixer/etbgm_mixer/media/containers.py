"""What the containers of results hold."""

from etbgm_kit.errors import InvalidField
from etbgm_mixer.types import Container, MediaFacts

_ISO = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4", "mjpeg", "mpeg2video", "mpeg1video", "vvc"})
_MOV = _ISO | {"prores", "dnxhd", "h263", "qtrle", "rawvideo", "cinepak", "svq3", "png", "dvvideo"}
_STUDIO = frozenset({"mxf", "dv"})
"""Containers, by ffmpeg's names, of pictures that MOV holds rather than MP4."""

_WEBM = frozenset({"vp8", "vp9", "av1"})

MEDIA_TYPES = {
    Container.MP4: "video/mp4",
    Container.MOV: "video/quicktime",
    Container.WEBM: "video/webm",
    Container.MKV: "video/x-matroska",
}

SOUND_CODECS: dict[Container, frozenset[str] | None] = {
    Container.MP4: frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus"}),
    Container.MOV: frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le"}),
    Container.WEBM: frozenset({"opus", "vorbis"}),
    Container.MKV: None,
}
"""Codecs of sound that is copied; None for any."""

RECORDS = {"Spherical Mapping": "360° mapping", "DOVI configuration record": "Dolby Vision record"}
"""ffmpeg's names of records of the picture that it stores in all containers but MOV, and ours."""

TURNING = frozenset({Container.MP4, Container.MOV})
"""Containers in which ffmpeg 5.1 stores a picture's rotation."""


def holds(container: Container, codec: str) -> bool:
    """Returns whether `container` can hold a picture of `codec`."""
    codecs = {Container.MP4: _ISO, Container.MOV: _MOV, Container.WEBM: _WEBM}
    return container is Container.MKV or codec in codecs[container]


def holds_sound(container: Container, codec: str) -> bool:
    """Returns whether `container` can hold sound of `codec`."""
    codecs = SOUND_CODECS[container]
    return codecs is None or codec in codecs


def choose(facts: MediaFacts, wanted: Container | None) -> Container:
    """Returns `wanted`, or else the container closest to the original that can hold the picture.

    Raises InvalidField, which names a suitable container, if `wanted` cannot hold the picture
    or its rotation.
    """
    codec, turned = facts.video.codec, facts.video.rotation_degrees != 0
    if wanted:
        if not holds(wanted, codec):
            fits = next(c for c in Container if holds(c, codec))
            raise InvalidField("container", f"{wanted} cannot hold a picture of {codec}; {fits} can")
        keeping = [c for c in Container if c in TURNING and holds(c, codec)]
        if turned and keeping and wanted not in TURNING:
            raise InvalidField(
                "container", f"{wanted} would lose the picture's rotation; {keeping[0]} keeps it"
            )
        return wanted
    likely = _closest(facts)
    return likely if holds(likely, codec) else Container.MKV


def _closest(facts: MediaFacts) -> Container:
    if facts.container in _STUDIO:
        return Container.MOV
    if facts.brand == "qt" and not RECORDS.keys() & set(facts.video.records):
        return Container.MOV
    if "matroska" in facts.container:
        return Container.WEBM if facts.video.codec in _WEBM - {"av1"} else Container.MKV
    return Container.MP4
