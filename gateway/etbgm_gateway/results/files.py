"""The files of a result, with descriptive names."""

from collections.abc import Iterator

from etbgm.gateway.v1 import gateway_pb2
from etbgm.gateway.v1 import transfers_pb2 as pb
from etbgm.media.v1 import media_pb2

_Listed = tuple[str, pb.FileKind.ValueType, media_pb2.Artifact]


def files_of(result: gateway_pb2.JobResult) -> list[pb.File]:
    """Returns the files of `result`, variants first; previews, which sound as the videos, are left out."""
    return [
        pb.File(name=name, kind=kind, artifact=artifact)
        for name, kind, artifact in (*_of_variants(result), *_of_all(result))
        if artifact.uri
    ]


def _of_variants(result: gateway_pb2.JobResult) -> Iterator[_Listed]:
    for variant in result.variants:
        name = f"variant-{variant.number}"
        yield f"{name}.{result.container}", pb.FILE_KIND_VIDEO, variant.video
        yield f"{name}.music.flac", pb.FILE_KIND_MUSIC, variant.music
        yield f"{name}.mid", pb.FILE_KIND_MIDI, variant.midi
        yield f"{name}.pianoroll.png", pb.FILE_KIND_PICTURE, variant.picture
        for stem in variant.stems:
            yield f"{name}.stems/{stem.name}.flac", pb.FILE_KIND_STEM, stem.sound
        yield f"{name}.levels.json", pb.FILE_KIND_DATA, variant.levels
        yield f"{name}.waveform.json", pb.FILE_KIND_DATA, variant.waveform
        yield f"{name}.otio", pb.FILE_KIND_PROJECT, variant.project


def _of_all(result: gateway_pb2.JobResult) -> Iterator[_Listed]:
    yield "speech.flac", pb.FILE_KIND_SPEECH, result.speech
    yield "residual.flac", pb.FILE_KIND_SPEECH, result.residual
    yield "transcript.srt", pb.FILE_KIND_TRANSCRIPT, result.transcript_srt
    yield "transcript.vtt", pb.FILE_KIND_TRANSCRIPT, result.transcript_vtt
    yield "transcript.json", pb.FILE_KIND_TRANSCRIPT, result.transcript_json
    yield "transcript.en.srt", pb.FILE_KIND_TRANSCRIPT, result.transcript_en_srt
    yield "transcript.en.vtt", pb.FILE_KIND_TRANSCRIPT, result.transcript_en_vtt
    yield "timeline.json", pb.FILE_KIND_DATA, result.timeline_json
    yield "timeline.png", pb.FILE_KIND_PICTURE, result.timeline_plot
    yield "report.json", pb.FILE_KIND_REPORT, result.report
