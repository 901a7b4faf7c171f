"""Converts shared protobuf messages to values and back, in pairs, and validates requests."""

import itertools
import math
import re
from collections.abc import Iterable, Sequence

from google.protobuf.duration_pb2 import Duration

from etbgm.media.v1 import media_pb2 as pb
from etbgm.mixer.v1 import mixer_pb2
from etbgm_kit.errors import InvalidField
from etbgm_kit.ranges import MUSIC_LEVEL_DB, check_range
from etbgm_kit.types import (
    Artifact,
    Bar,
    Emotion,
    EmotionSpan,
    EmotionTimeline,
    EngineInfo,
    Evidence,
    Ingredient,
    MusicLevel,
    Segment,
    Span,
    Transcript,
    Word,
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_EMOTIONS = tuple(Emotion)
_EVIDENCE = tuple(Evidence)
TIME_TOLERANCE_S = 1e-6
"""Times closer than this are equal: durations have nanoseconds, floats are less exact."""

PROBABILITY_TOLERANCE = 1e-3
"""The sum of probabilities may exceed 1 by this much: people write them with three digits."""


def seconds_from_pb(duration: Duration) -> float:
    """The duration in seconds."""
    return duration.seconds + duration.nanos * 1e-9


def seconds_to_pb(seconds: float) -> Duration:
    """A Duration, rounded to the nanosecond."""
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration


def artifact_from_pb(message: pb.Artifact, field: str = "artifact") -> Artifact:
    """The artifact. Raises InvalidField if it has no uri, no valid SHA-256 or a negative size."""
    if not message.uri:
        raise InvalidField(field, "is required")
    if not _SHA256.fullmatch(message.sha256):
        raise InvalidField(f"{field}.sha256", "must be 64 lower-case hexadecimal digits")
    if message.size_bytes < 0:
        raise InvalidField(f"{field}.size_bytes", "must be >= 0")
    return Artifact(message.uri, message.sha256, message.media_type, message.size_bytes)


def artifact_to_pb(artifact: Artifact) -> pb.Artifact:
    """The message for `artifact`."""
    return pb.Artifact(
        uri=artifact.uri,
        sha256=artifact.sha256,
        media_type=artifact.media_type,
        size_bytes=artifact.size_bytes,
    )


def span_from_pb(message: pb.Span, field: str = "span") -> Span:
    """The span. Raises InvalidField if it starts before 0 or ends before it starts."""
    span = Span(seconds_from_pb(message.start), seconds_from_pb(message.end))
    if not 0 <= span.start_s <= span.end_s:
        raise InvalidField(field, f"need 0 <= start <= end, got [{span.start_s}, {span.end_s})")
    return span


def span_to_pb(span: Span) -> pb.Span:
    """The message for `span`."""
    return pb.Span(start=seconds_to_pb(span.start_s), end=seconds_to_pb(span.end_s))


def spans_from_pb(messages: Iterable[pb.Span], field: str) -> tuple[Span, ...]:
    """The spans. Raises InvalidField unless they are ordered and do not overlap."""
    spans = tuple(span_from_pb(message, f"{field}[{i}]") for i, message in enumerate(messages))
    for i, (one, next_one) in enumerate(itertools.pairwise(spans)):
        if next_one.start_s < one.end_s - TIME_TOLERANCE_S:
            raise InvalidField(f"{field}[{i + 1}]", "starts before the one before it ends")
    return spans


def music_levels_from_pb(messages: Iterable[mixer_pb2.MusicLevel], field: str) -> tuple[MusicLevel, ...]:
    """Converts levels. Raises InvalidField unless they are ordered, do not overlap and are in range."""
    levels = list(messages)
    spans = spans_from_pb([level.span for level in levels], field)
    for i, level in enumerate(levels):
        check_range(f"{field}[{i}].gain_db", level.gain_db, *MUSIC_LEVEL_DB)
    return tuple(MusicLevel(span, level.gain_db) for span, level in zip(spans, levels, strict=True))


def bars_from_pb(messages: Iterable[pb.Bar], field: str) -> tuple[Bar, ...]:
    """Converts bars. Raises InvalidField unless they are ordered, do not overlap and have beats."""
    bars = list(messages)
    spans = spans_from_pb([bar.span for bar in bars], field)
    for i, bar in enumerate(bars):
        if not 0 < bar.beats < math.inf:
            raise InvalidField(f"{field}[{i}].beats", "must be a number > 0")
    return tuple(Bar(span, bar.beats) for span, bar in zip(spans, bars, strict=True))


def bar_to_pb(bar: Bar) -> pb.Bar:
    """Converts `bar`."""
    return pb.Bar(span=span_to_pb(bar.span), beats=bar.beats)


def emotion_from_pb(emotion: pb.Emotion.ValueType, field: str) -> Emotion:
    """The emotion. Raises InvalidField for EMOTION_UNSPECIFIED and unknown numbers."""
    if not 1 <= emotion <= len(_EMOTIONS):
        raise InvalidField(field, "must be one of the seven emotions")
    return _EMOTIONS[emotion - 1]


def emotion_to_pb(emotion: Emotion) -> pb.Emotion.ValueType:
    """The enum value for `emotion`."""
    return pb.Emotion.Value(f"EMOTION_{emotion.name}")


def scores_from_pb(messages: Iterable[pb.EmotionScore], field: str) -> tuple[tuple[Emotion, float], ...]:
    """Emotions and probabilities, highest first.

    Raises InvalidField unless each emotion occurs at most once, each probability is in [0, 1] and their
    sum is at most 1.
    """
    scores: dict[Emotion, float] = {}
    for i, message in enumerate(messages):
        emotion = emotion_from_pb(message.emotion, f"{field}[{i}].emotion")
        if emotion in scores:
            raise InvalidField(f"{field}[{i}].emotion", f"comes twice: {emotion}")
        if not 0 <= message.probability <= 1:
            raise InvalidField(f"{field}[{i}].probability", f"must be in [0, 1], is {message.probability}")
        scores[emotion] = message.probability
    if sum(scores.values()) > 1 + PROBABILITY_TOLERANCE:
        raise InvalidField(field, f"must sum to at most 1, sum to {sum(scores.values()):.6f}")
    return tuple(sorted(scores.items(), key=lambda score: -score[1]))


def scores_to_pb(probabilities: Sequence[float]) -> list[pb.EmotionScore]:
    """Seven scores from seven probabilities in the order of Emotion."""
    return [
        pb.EmotionScore(emotion=emotion_to_pb(emotion), probability=float(p))
        for emotion, p in zip(_EMOTIONS, probabilities, strict=True)
    ]


def timeline_from_pb(message: pb.EmotionTimeline, field: str = "timeline") -> EmotionTimeline:
    """The timeline. Raises InvalidField unless its spans cover [0, duration) without gap or overlap."""
    duration_s = seconds_from_pb(message.duration)
    if duration_s <= 0:
        raise InvalidField(f"{field}.duration", "must be > 0")
    spans = tuple(emotion_span_from_pb(span, f"{field}.spans[{i}]") for i, span in enumerate(message.spans))
    edge_s = 0.0
    for i, span in enumerate(spans):
        if abs(span.span.start_s - edge_s) > TIME_TOLERANCE_S:
            raise InvalidField(
                f"{field}.spans[{i}]", f"must start at {edge_s:.6f} s, starts at {span.span.start_s:.6f} s"
            )
        edge_s = span.span.end_s
    if abs(edge_s - duration_s) > TIME_TOLERANCE_S:
        raise InvalidField(f"{field}.spans", f"must end at {duration_s:.6f} s, end at {edge_s:.6f} s")
    return EmotionTimeline(duration_s, spans)


def timeline_to_pb(timeline: EmotionTimeline) -> pb.EmotionTimeline:
    """The message for `timeline`."""
    return pb.EmotionTimeline(
        duration=seconds_to_pb(timeline.duration_s),
        spans=[
            pb.EmotionSpan(
                span=span_to_pb(span.span),
                emotion=emotion_to_pb(span.emotion),
                probability=span.probability,
                intensity=span.intensity,
                scores=[
                    pb.EmotionScore(emotion=emotion_to_pb(emotion), probability=probability)
                    for emotion, probability in span.scores
                ],
                arousal=span.arousal,
                evidence=[pb.Evidence.Value(f"EVIDENCE_{one.name}") for one in span.evidence],
            )
            for span in timeline.spans
        ],
    )


def transcript_from_pb(message: pb.Transcript, field: str = "transcript") -> Transcript:
    """The transcript. Raises InvalidField unless its segments are ordered and do not overlap."""
    spans_from_pb([segment.span for segment in message.segments], f"{field}.segments")
    return Transcript(tuple(_segment_from_pb(segment) for segment in message.segments), message.language)


def transcript_to_pb(transcript: Transcript) -> pb.Transcript:
    """The message for `transcript`."""
    return pb.Transcript(
        segments=[segment_to_pb(segment) for segment in transcript.segments], language=transcript.language
    )


def segment_to_pb(segment: Segment) -> pb.Segment:
    """The message for `segment`."""
    words = [
        pb.Word(span=span_to_pb(word.span), text=word.text, confidence=word.confidence)
        for word in segment.words
    ]
    return pb.Segment(
        span=span_to_pb(segment.span), text=segment.text, confidence=segment.confidence, words=words
    )


def engine_to_pb(engine: EngineInfo) -> pb.Engine:
    """The message for `engine`."""
    return pb.Engine(
        name=engine.name,
        revision=engine.revision,
        device=engine.device,
        ingredients=[_ingredient_to_pb(ingredient) for ingredient in engine.ingredients],
    )


def _ingredient_to_pb(ingredient: Ingredient) -> pb.Ingredient:
    return pb.Ingredient(
        name=ingredient.name,
        source=ingredient.source,
        licence=ingredient.licence,
        commercial_use=ingredient.commercial_use,
        note=ingredient.note,
    )


def _segment_from_pb(message: pb.Segment) -> Segment:
    words = tuple(Word(span_from_pb(word.span), word.text, word.confidence) for word in message.words)
    return Segment(span_from_pb(message.span), message.text, message.confidence, words)


def emotion_span_from_pb(message: pb.EmotionSpan, field: str) -> EmotionSpan:
    """The span of a timeline. Raises InvalidField if it is empty or a number is out of range."""
    span = span_from_pb(message.span, f"{field}.span")
    if span.duration_s <= 0:
        raise InvalidField(f"{field}.span", "must not be empty")
    intensity = message.intensity if message.HasField("intensity") else 0.5
    sure = message.probability if message.HasField("probability") else 1.0
    arousal = message.arousal if message.HasField("arousal") else None
    for name, value in (("probability", sure), ("intensity", intensity), ("arousal", arousal)):
        if value is not None and not 0 <= value <= 1:
            raise InvalidField(f"{field}.{name}", f"must be in [0, 1], is {value}")
    emotion = emotion_from_pb(message.emotion, f"{field}.emotion")
    scores = scores_from_pb(message.scores, f"{field}.scores")
    if abs(dict(scores).get(emotion, math.inf) - sure) > PROBABILITY_TOLERANCE:
        scores = ()  # somebody edited the emotion, and the scores still belong to the previous one
    evidence = tuple(_EVIDENCE[one - 1] for one in message.evidence if 1 <= one <= len(_EVIDENCE))
    return EmotionSpan(span, emotion, sure, intensity, scores, arousal, evidence)
