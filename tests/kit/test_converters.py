"""Messages to values and back; what cannot be used is refused by field."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etbgm.media.v1 import media_pb2 as pb
from etbgm_kit import converters
from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Segment, Span, Transcript, Word

durations = st.lists(st.floats(0.001, 1000), min_size=1, max_size=20)


@given(durations, st.randoms())
def test_timelines_survive_the_wire(lengths: list[float], random: "st.randoms") -> None:
    edges = [0.0]
    for length in lengths:
        edges.append(edges[-1] + length)
    spans = tuple(
        EmotionSpan(
            Span(a, b),
            random.choice(list(Emotion)),
            random.random(),
            random.random(),
            arousal=random.choice([None, random.random()]),
        )
        for a, b in itertools.pairwise(edges)
    )
    sent = EmotionTimeline(edges[-1], spans)
    got = converters.timeline_from_pb(converters.timeline_to_pb(sent))
    assert got.duration_s == pytest.approx(sent.duration_s, abs=1e-6)
    for a, b in zip(got.spans, sent.spans, strict=True):
        assert (a.emotion, a.probability, a.intensity, a.arousal) == (
            *(b.emotion, b.probability, b.intensity, b.arousal),
        )
        assert (a.span.start_s, a.span.end_s) == pytest.approx((b.span.start_s, b.span.end_s), abs=1e-6)


def test_transcripts_survive_the_wire() -> None:
    word = Word(Span(0.5, 0.75), "hello", 0.9)
    transcript = Transcript((Segment(Span(0.5, 1.0), "hello", 0.9, (word,)),), "en")
    assert converters.transcript_from_pb(converters.transcript_to_pb(transcript)) == transcript


def timeline(*spans: tuple[float, float, int], duration_s: float = 10) -> pb.EmotionTimeline:
    return pb.EmotionTimeline(
        duration=converters.seconds_to_pb(duration_s),
        spans=[pb.EmotionSpan(span=converters.span_to_pb(Span(a, b)), emotion=e) for a, b, e in spans],
    )


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (timeline((0, 10, 1), duration_s=0), "timeline.duration"),
        (timeline((0, 4, 1), (5, 10, 2)), r"timeline.spans\[1\]"),
        (timeline((0, 6, 1), (5, 10, 2)), r"timeline.spans\[1\]"),
        (timeline((0, 9, 1)), "timeline.spans"),
        (timeline((0, 10, 0)), r"timeline.spans\[0\].emotion"),
        (timeline((0, 0, 1), (0, 10, 1)), r"timeline.spans\[0\].span"),
        (timeline(), "timeline.spans"),
    ],
)
def test_bad_timelines_are_refused_by_field(message: pb.EmotionTimeline, field: str) -> None:
    with pytest.raises(InvalidField, match=field):
        converters.timeline_from_pb(message)


def scored(*scores: tuple[int, float]) -> pb.EmotionTimeline:
    message = timeline((0, 10, pb.EMOTION_JOY))
    for emotion, probability in scores:
        message.spans[0].scores.add(emotion=emotion, probability=probability)
    return message


def test_a_span_written_by_hand_is_sure_of_its_emotion() -> None:
    (span,) = converters.timeline_from_pb(timeline((0, 10, pb.EMOTION_JOY))).spans
    assert (span.probability, span.intensity, span.scores) == (1.0, 0.5, ())


@pytest.mark.parametrize("arousal", [-0.1, 1.1, float("nan")])
def test_an_arousal_outside_its_range_is_refused(arousal: float) -> None:
    message = timeline((0, 10, pb.EMOTION_JOY))
    message.spans[0].arousal = arousal
    with pytest.raises(InvalidField, match=r"timeline.spans\[0\].arousal"):
        converters.timeline_from_pb(message)


def test_scores_survive_the_wire_and_come_highest_first() -> None:
    sent = scored((pb.EMOTION_SADNESS, 0.25), (pb.EMOTION_JOY, 0.6))
    sent.spans[0].probability = 0.6
    got = converters.timeline_from_pb(sent)
    assert got.spans[0].scores == ((Emotion.JOY, 0.6), (Emotion.SADNESS, 0.25))
    assert converters.timeline_from_pb(converters.timeline_to_pb(got)) == got


@pytest.mark.parametrize("edited", [pb.EMOTION_FEAR, pb.EMOTION_SADNESS])
def test_scores_of_another_emotion_are_ignored(edited: pb.Emotion.ValueType) -> None:
    sent = scored((pb.EMOTION_JOY, 0.6), (pb.EMOTION_SADNESS, 0.25))
    sent.spans[0].probability = 0.6
    sent.spans[0].emotion = edited
    assert converters.timeline_from_pb(sent).spans[0].scores == ()


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (scored((pb.EMOTION_UNSPECIFIED, 0.5)), r"timeline.spans\[0\].scores\[0\].emotion"),
        (scored((pb.EMOTION_JOY, 0.5), (pb.EMOTION_JOY, 0.1)), r"scores\[1\].emotion: comes twice: joy"),
        (scored((pb.EMOTION_JOY, -0.1)), r"scores\[0\].probability"),
        (scored((pb.EMOTION_JOY, float("nan"))), r"scores\[0\].probability"),
        (scored((pb.EMOTION_JOY, 0.7), (pb.EMOTION_FEAR, 0.4)), r"scores: must sum to at most 1"),
    ],
)
def test_bad_scores_are_refused_by_field(message: pb.EmotionTimeline, field: str) -> None:
    with pytest.raises(InvalidField, match=field):
        converters.timeline_from_pb(message)


def test_bad_artifacts_and_spans_are_refused_by_field() -> None:
    with pytest.raises(InvalidField, match="video: is required"):
        converters.artifact_from_pb(pb.Artifact(), "video")
    with pytest.raises(InvalidField, match=r"video\.sha256"):
        converters.artifact_from_pb(pb.Artifact(uri="x", sha256="../.."), "video")
    backwards = pb.Span(start=converters.seconds_to_pb(2), end=converters.seconds_to_pb(1))
    with pytest.raises(InvalidField, match="cue"):
        converters.span_from_pb(backwards, "cue")
    spans = [converters.span_to_pb(Span(0, 2)), converters.span_to_pb(Span(1, 3))]
    with pytest.raises(InvalidField, match=r"speech_spans\[1\]"):
        converters.spans_from_pb(spans, "speech_spans")
