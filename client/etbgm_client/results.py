"""The files of a result, with descriptive names."""

import re
from collections.abc import Iterator

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class UnsafeName(ValueError):
    """A gateway sent a name that cannot be part of a file name in the result folder."""


def files_of(result: pb.JobResult) -> Iterator[tuple[str, media_pb2.Artifact]]:
    """Yields the path in the result folder and the artifact of each file of `result`.

    Previews are not among them: they are the sound of the videos.
    Raises UnsafeName if the name of a stem or container could lead outside the folder.
    """
    for name, artifact in _all(result):
        if artifact.uri:
            yield name, artifact


def _all(result: pb.JobResult) -> Iterator[tuple[str, media_pb2.Artifact]]:
    for variant in result.variants:
        name = f"variant-{variant.number}"
        yield f"{name}.{_safe(result.container)}", variant.video
        yield f"{name}.music.flac", variant.music
        yield f"{name}.mid", variant.midi
        yield f"{name}.pianoroll.png", variant.picture
        for stem in variant.stems:
            yield f"{name}.stems/{_safe(stem.name)}.flac", stem.sound
        yield f"{name}.levels.json", variant.levels
        yield f"{name}.waveform.json", variant.waveform
    yield "speech.flac", result.speech
    yield "residual.flac", result.residual
    yield "transcript.srt", result.transcript_srt
    yield "transcript.vtt", result.transcript_vtt
    yield "transcript.en.srt", result.transcript_en_srt
    yield "transcript.en.vtt", result.transcript_en_vtt
    yield "timeline.json", result.timeline_json
    yield "timeline.png", result.timeline_plot
    yield "report.json", result.report


def _safe(name: str) -> str:
    if not _PART.fullmatch(name):
        raise UnsafeName(f"the gateway sent {name!r}, which is no name for a file")
    return name
