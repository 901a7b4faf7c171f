"""Chooses and fits transcripts for the emotion classifier."""

from collections.abc import Sequence

from etbgm.media.v1 import media_pb2
from etbgm.stt.v1 import stt_pb2
from etbgm_kit.converters import seconds_from_pb, seconds_to_pb
from etbgm_kit.languages import is_readable


def readable_by(result: stt_pb2.TranscribeResult, languages: Sequence[str]) -> media_pb2.Transcript:
    """Returns the transcript as spoken, or in English if its language is not one of `languages`.

    `languages` are tags; empty means any.
    """
    spoken = result.transcript
    if result.HasField("translation") and not is_readable(spoken.language, languages):
        return result.translation
    return spoken


def clipped(transcript: media_pb2.Transcript, duration_s: float) -> media_pb2.Transcript:
    """Returns the transcript without the part after the video's end.

    Sound is a whole number of samples long, so its last word may end microseconds after the picture.
    """
    fitting = media_pb2.Transcript(language=transcript.language)
    for segment in transcript.segments:
        if seconds_from_pb(segment.span.start) >= duration_s:
            continue
        fitting.segments.add().CopyFrom(segment)
        for span in (fitting.segments[-1].span, *(word.span for word in fitting.segments[-1].words)):
            for edge in (span.start, span.end):
                edge.CopyFrom(seconds_to_pb(min(seconds_from_pb(edge), duration_s)))
    return fitting
