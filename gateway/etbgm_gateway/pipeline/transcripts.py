"""Fits transcripts to their video."""

from etbgm.media.v1 import media_pb2
from etbgm_kit.converters import seconds_from_pb, seconds_to_pb


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
