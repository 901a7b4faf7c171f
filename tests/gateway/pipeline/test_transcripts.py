"""What is said behind the video's end is cut off; all else stays."""

from etbgm.media.v1 import media_pb2
from etbgm_gateway.pipeline.transcripts import clipped
from etbgm_kit.converters import transcript_from_pb, transcript_to_pb
from etbgm_kit.types import Segment, Span, Transcript, Word


def transcript(end_s: float) -> media_pb2.Transcript:
    words = (Word(Span(0.5, 0.75), "hello", 0.9), Word(Span(0.75, end_s), "there", 0.9))
    segments = (Segment(Span(0.5, end_s), "hello there", 0.9, words),)
    return transcript_to_pb(Transcript(segments, "en"))


def test_the_last_word_ends_with_the_video() -> None:
    fitting = transcript_from_pb(clipped(transcript(1.00001), 1.0))
    assert fitting.segments[0].span == Span(0.5, 1.0)
    assert [word.span for word in fitting.segments[0].words] == [Span(0.5, 0.75), Span(0.75, 1.0)]


def test_what_fits_stays_as_it_is() -> None:
    assert clipped(transcript(1.0), 1.0) == transcript(1.0)


def test_segments_behind_the_end_go() -> None:
    assert not clipped(transcript(1.0), 0.5).segments
