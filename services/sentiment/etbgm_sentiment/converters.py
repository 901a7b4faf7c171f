"""Converts requests to values and values to responses; validates requests."""

from etbgm.sentiment.v1 import sentiment_pb2 as pb
from etbgm_kit.converters import (
    TIME_TOLERANCE_S,
    artifact_from_pb,
    engine_to_pb,
    scores_to_pb,
    seconds_from_pb,
    seconds_to_pb,
    span_to_pb,
    spans_from_pb,
    timeline_to_pb,
    transcript_from_pb,
)
from etbgm_kit.errors import InvalidField
from etbgm_kit.picture_converters import mood_from_pb
from etbgm_kit.ranges import LONGEST_TIMELINE_S
from etbgm_kit.types import Segment, Transcript
from etbgm_sentiment.smoothing import MIN_EMOTION_DURATION_S
from etbgm_sentiment.types import Analysis, AnalyzeRequest, Smoothing

MAX_MIN_DURATION_S = 60.0

_SMOOTHINGS = {pb.SMOOTHING_RULE: Smoothing.RULE, pb.SMOOTHING_VITERBI: Smoothing.VITERBI}


def with_defaults(request: pb.AnalyzeRequest, smoothing: Smoothing) -> pb.AnalyzeRequest:
    """Returns a copy with default values for missing fields, so that equivalent requests are equal."""
    full = pb.AnalyzeRequest()
    full.CopyFrom(request)
    if full.smoothing == pb.SMOOTHING_UNSPECIFIED:
        full.smoothing = smoothing_to_pb(smoothing)
    if not full.HasField("min_emotion_duration"):
        full.min_emotion_duration.CopyFrom(seconds_to_pb(MIN_EMOTION_DURATION_S))
    return full


def request_from_pb(request: pb.AnalyzeRequest) -> AnalyzeRequest:
    """Converts a request that has its defaults.

    Raises:
        InvalidField: a time lies outside the video, segments overlap, a setting is out of range, or
            `speech` is no artifact.
    """
    duration_s = seconds_from_pb(request.duration)
    if not 0 < duration_s <= LONGEST_TIMELINE_S:
        raise InvalidField("duration", f"must be in (0, {LONGEST_TIMELINE_S:.0f}] s")
    min_duration_s = seconds_from_pb(request.min_emotion_duration)
    if not 0 < min_duration_s <= MAX_MIN_DURATION_S:
        why = f"must be in (0, {MAX_MIN_DURATION_S:g}] s, is {min_duration_s} s"
        raise InvalidField("min_emotion_duration", why)
    if request.smoothing not in _SMOOTHINGS:
        raise InvalidField("smoothing", "must be a known method")
    transcript = transcript_from_pb(request.transcript)
    _check_times(transcript, duration_s)
    speech = artifact_from_pb(request.speech, "speech") if request.HasField("speech") else None
    picture = mood_from_pb(request.picture, "picture") if request.HasField("picture") else None
    return AnalyzeRequest(
        transcript,
        duration_s,
        _SMOOTHINGS[request.smoothing],
        min_duration_s,
        speech,
        picture,
        spans_from_pb(request.speech_spans, "speech_spans"),
    )


def analysis_to_pb(analysis: Analysis) -> pb.AnalyzeResponse:
    """Returns the response without timings, which are added later."""
    phrases = [
        pb.Phrase(span=span_to_pb(phrase.span), text=phrase.text, scores=scores_to_pb(row), arousal=arousal)
        for phrase, row, arousal in zip(
            analysis.phrases, analysis.probabilities, analysis.arousals, strict=True
        )
    ]
    return pb.AnalyzeResponse(
        phrases=phrases,
        timeline=timeline_to_pb(analysis.timeline),
        engine=engine_to_pb(analysis.engine),
        smoothing=smoothing_to_pb(analysis.smoothing),
    )


def smoothing_to_pb(smoothing: Smoothing) -> pb.Smoothing.ValueType:
    """Returns the enum value for `smoothing`."""
    return pb.Smoothing.Value(f"SMOOTHING_{smoothing.name}")


def _check_times(transcript: Transcript, duration_s: float) -> None:
    for i, segment in enumerate(transcript.segments):
        field = f"transcript.segments[{i}]"
        if segment.span.end_s > duration_s + TIME_TOLERANCE_S:
            raise InvalidField(
                field, f"ends at {segment.span.end_s:.3f} s, after the video's end at {duration_s:.3f} s"
            )
        _check_words(segment, field)


def _check_words(segment: Segment, field: str) -> None:
    edge_s = segment.span.start_s
    for i, word in enumerate(segment.words):
        if word.span.start_s < edge_s - TIME_TOLERANCE_S:
            raise InvalidField(f"{field}.words[{i}]", "starts before its segment or the word before it ends")
        edge_s = word.span.end_s
    if edge_s > segment.span.end_s + TIME_TOLERANCE_S:
        raise InvalidField(f"{field}.words", "end after their segment")
