"""What a remix changes is found, and a few seconds of it are chosen to be heard first."""

from typing import Any

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm_gateway.pipeline.changes import Change, Parent, first_change
from etbgm_kit.converters import seconds_to_pb, span_to_pb
from etbgm_kit.types import Span

pytestmark = pytest.mark.unit

JOY, FEAR = media_pb2.EMOTION_JOY, media_pb2.EMOTION_FEAR
Emotion = media_pb2.Emotion.ValueType


def timeline(*spans: tuple[float, float, Emotion]) -> media_pb2.EmotionTimeline:
    made = [media_pb2.EmotionSpan(span=span_to_pb(Span(a, b)), emotion=one) for a, b, one in spans]
    return media_pb2.EmotionTimeline(duration=seconds_to_pb(60), spans=made)


CALM, LONG = timeline((0, 60, JOY)), timeline((0, 600, JOY))
LONG.duration.CopyFrom(seconds_to_pb(600))


def parent(selected: int | None = None, **settings: Any) -> Parent:
    bed = [mixer_pb2.MusicCue(span=span_to_pb(Span(0, 60)))]
    result = pb.JobResult(
        timeline=CALM,
        variants=[pb.Variant(number=number, bed=bed) for number in (1, 2)],
        speech_spans=[span_to_pb(Span(8, 20))],
    )
    return Parent(pb.JobSettings(variants=2, **settings), result, selected)


def long(**settings: Any) -> Parent:
    """The parent with a video of ten minutes."""
    made = parent(**settings)
    made.result.timeline.CopyFrom(LONG)
    return made


def change(
    of: Parent, now: media_pb2.EmotionTimeline = CALM, cuts: tuple[media_pb2.Cut, ...] = (), **settings: Any
) -> Change | None:
    return first_change(of, pb.JobSettings(variants=2, **settings), "0" * 64, now, cuts)


def test_nothing_has_changed() -> None:
    assert change(parent()) is None
    assert change(parent(), timeline((0, 30, JOY), (30, 60, JOY))) is None, "a split alone is not heard"


def test_an_emotion_is_heard_from_just_before_it() -> None:
    found = change(parent(), timeline((0, 30, JOY), (30, 36, FEAR), (36, 60, JOY)))
    assert found
    assert (found.piece.number, found.span, found.is_composed) == (1, Span(29, 37), True)


def test_a_long_change_is_heard_for_ten_seconds() -> None:
    found = change(parent(), timeline((0, 20, JOY), (20, 60, FEAR)))
    assert found and found.span == Span(19, 29)


def test_a_change_at_the_end_is_long_enough() -> None:
    found = change(parent(), timeline((0, 59.5, JOY), (59.5, 60, FEAR)))
    assert found and found.span == Span(56, 60)


@pytest.mark.parametrize("selected", [None, 1, 2])
def test_a_change_of_one_variant_is_heard_in_that_variant(selected: int | None) -> None:
    found = change(parent(selected), variant_settings=[{"number": 2, "style": "jazz"}])
    assert found
    assert (found.piece.number, found.span, found.is_composed) == (2, Span(7, 17), True)


def test_a_change_of_all_is_heard_in_the_selected_variant() -> None:
    found = change(parent(2), style="jazz")
    assert found and found.piece.number == 2


def test_another_level_of_a_long_video_needs_no_new_music() -> None:
    quiet = {"music_levels": [{"span": span_to_pb(Span(30, 33)), "gain_db": -60}]}
    muted = change(long(), LONG, mix=quiet)
    assert muted and (muted.span, muted.is_composed) == (Span(29, 34), False)
    back = change(long(mix=quiet), LONG)
    assert back and back.span == Span(29, 34)
    louder = change(long(), LONG, mix={"speech_to_music_lu": 10})
    assert louder and (louder.span, louder.is_composed) == (Span(7, 17), False)


def test_another_level_of_a_minute_is_heard_in_the_whole_at_once() -> None:
    assert change(parent(), mix={"speech_to_music_lu": 10}) is None
    both = change(parent(), timeline((0, 30, JOY), (30, 60, FEAR)), mix={"speech_to_music_lu": 10})
    assert both and (both.span, both.is_composed) == (Span(7, 17), True)


def test_a_changed_cut_is_heard_around_it() -> None:
    added = media_pb2.Cut(time=seconds_to_pb(40))
    found = change(parent(), cuts=(added,))
    assert found and (found.span, found.is_composed) == (Span(39, 43), True)
    before = parent()
    before.result.cuts.append(added)
    assert change(before, cuts=(added,)) is None
    dropped = change(before)
    assert dropped and dropped.span == Span(39, 43)


def test_short_videos_and_results_of_earlier_releases_have_none() -> None:
    before = parent()
    for variant in before.result.variants:
        variant.ClearField("bed")
    assert change(before, style="jazz") is None
    brief = timeline((0, 10, FEAR))
    brief.duration.CopyFrom(seconds_to_pb(10))
    assert change(parent(), brief) is None
