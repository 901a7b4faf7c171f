"""Checks of a request, by themselves."""

import itertools

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_gateway.api.limits import LongList, RequestLimits, check_limits
from etbgm_gateway.api.validation import check_media_type, timeline_of
from etbgm_kit.converters import timeline_to_pb
from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline, Span

SPANS = "etbgm.media.v1.EmotionTimeline.spans"
LIMITS = RequestLimits(text_chars=100, elements=3, longer={SPANS: LongList(10, "ETBGM_SPANS")})


def timeline(spans: int, span_s: float = 1.0) -> EmotionTimeline:
    edges = [i * span_s for i in range(spans + 1)]
    return EmotionTimeline(
        edges[-1],
        tuple(EmotionSpan(Span(start, end), Emotion.JOY, 1.0) for start, end in itertools.pairwise(edges)),
    )


def request(spans: int = 2, scores: int = 0, **settings: object) -> pb.CreateJobRequest:
    made = pb.CreateJobRequest(settings=pb.JobSettings(timeline=timeline_to_pb(timeline(spans)), **settings))
    made.settings.timeline.spans[0].scores.extend([media_pb2.EmotionScore()] * scores)
    return made


def test_what_is_within_the_limits_passes() -> None:
    check_limits(request(10, 3, style="ä" * 100), LIMITS)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (request(11), r"settings\.timeline\.spans: must have at most 10 elements, has 11 \(ETBGM_SPANS\)"),
        (request(2, 4), r"settings\.timeline\.spans\[0\]\.scores: .* 3 elements.*ETBGM_MAX_ELEMENTS"),
        (request(style="x" * 101), r"settings\.style: has 101 .* 100 \(ETBGM_MAX_TEXT_CHARS\)"),
        (request(style="a\0b"), r"settings\.style: contains the control character U\+0000"),
        (request(style="a\u202eb"), r"settings\.style: contains the control character U\+202E"),
        (
            request(diffusion={"adapters": [{}, {"name": "a\n"}]}),
            r"settings\.diffusion\.adapters\[1\]\.name: contains",
        ),
    ],
    ids=["spans", "scores", "long", "NUL", "direction", "nested"],
)
def test_what_is_over_a_limit_is_refused_by_field_and_setting(
    made: pb.CreateJobRequest, message: str
) -> None:
    with pytest.raises(InvalidField, match=message):
        check_limits(made, LIMITS)


def test_a_short_video_has_few_spans() -> None:
    dense = pb.JobSettings(timeline=timeline_to_pb(timeline(60, 0.05)))
    assert len(timeline_of(dense, 20).spans) == 60
    with pytest.raises(InvalidField, match=r"spans: are 60 in 3 s, .* 10 per second \(ETBGM_MAX_SPANS_PER_S"):
        timeline_of(dense, 10)


@pytest.mark.parametrize(
    "media_type", ["video", "video/", "/mp4", "video/mp4; a=b", "video/" + "x" * 65, "é/é"]
)
def test_what_is_no_media_type_is_refused(media_type: str) -> None:
    with pytest.raises(InvalidField, match=r"video\.media_type"):
        check_media_type(media_type, "video.media_type")
    check_media_type("application/vnd.a.b+json", "video.media_type")
