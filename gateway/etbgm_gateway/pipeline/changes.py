"""What a remix changes of its parent, and where it is to be heard first. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm_gateway.pipeline import pictures
from etbgm_gateway.pipeline.pieces import Piece, pieces_of
from etbgm_kit.converters import seconds_from_pb, span_from_pb, timeline_from_pb
from etbgm_kit.picture_converters import cuts_from_pb
from etbgm_kit.types import Span

BEFORE_S, LONGEST_S, SHORTEST_S = 1.0, 10.0, 4.0
"""An excerpt begins this long before the change and has these lengths."""

SHORT_VIDEO_S = 20.0
"""Shorter videos have no excerpts: the whole is made almost as soon."""

SOON_MIXED_S = 120.0
"""The same for changes of level alone: a minute is mixed and encoded in about 2 s."""


@dataclass(frozen=True, slots=True)
class Parent:
    """The job that a remix derives from."""

    settings: gateway_pb2.JobSettings
    result: gateway_pb2.JobResult
    selected: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What to hear first: `span` of one variant, whose music is new there if `is_composed`."""

    piece: Piece
    span: Span
    is_composed: bool


def first_change(
    parent: Parent,
    settings: gateway_pb2.JobSettings,
    sha256: str,
    timeline: media_pb2.EmotionTimeline,
    cuts: Sequence[media_pb2.Cut],
) -> Change | None:
    """Returns the change of the selected variant, or else of the first that changes.

    None without a change, and for short videos.

    `sha256` is the hash of the video; `timeline` and `cuts` are those of the remix.
    """
    was, duration_s = parent.result, seconds_from_pb(timeline.duration)
    whole = Span(0.0, duration_s)
    if duration_s < SHORT_VIDEO_S:
        return None
    before = {piece.number: piece for piece in pieces_of(parent.settings, sha256)}
    known = {variant.number for variant in was.variants if variant.bed}
    level = _differing(_levels(parent.settings.mix), _levels(settings.mix))
    if _others(settings.mix) != _others(parent.settings.mix):
        level = whole
    emotions = _differing(_emotions(was.timeline), _emotions(timeline))
    moved = _moved(pictures.marked(was.cuts, duration_s), cuts)
    is_new = _composing(settings) != _composing(parent.settings)
    composed = whole if is_new else _hull(one for one in (emotions, moved) if one)
    changes = []
    for piece in pieces_of(settings, sha256):
        if piece.number in known:
            music = composed if before[piece.number] == piece else whole
            if span := _hull(one for one in (music, level) if one):
                changes.append(Change(piece, _heard(span, whole, was.speech_spans), music is not None))
    if duration_s < SOON_MIXED_S:
        changes = [change for change in changes if change.is_composed]
    chosen = [change for change in changes if change.piece.number == parent.selected]
    return next(iter([*chosen, *changes]), None)


def _composing(settings: gateway_pb2.JobSettings) -> tuple[object, ...]:
    """What decides on all music besides timeline, cuts, style and random seed."""
    return pictures.hits_of(settings), settings.diffusion.SerializeToString(deterministic=True)


def _moved(old: Sequence[media_pb2.Cut], new: Sequence[media_pb2.Cut]) -> Span | None:
    """From the first to the last cut that only one of the two has."""
    was, now = (set(cuts_from_pb(side, "cuts")) for side in (old, new))
    times_s = [cut.time_s for cut in was ^ now]
    return Span(min(times_s), max(times_s)) if times_s else None


def _others(mix: mixer_pb2.MixSettings) -> bytes:
    """The settings of a mix that are not about single spans."""
    others = mixer_pb2.MixSettings()
    others.CopyFrom(mix)
    others.ClearField("music_levels")
    return others.SerializeToString(deterministic=True)


_Placed = list[tuple[Span, object]]
"""Spans in order of time, without overlap, and what holds in each."""


def _emotions(timeline: media_pb2.EmotionTimeline) -> _Placed:
    return [(one.span, replace(one, span=Span(0, 0))) for one in timeline_from_pb(timeline).spans]


def _levels(mix: mixer_pb2.MixSettings) -> _Placed:
    return [(span_from_pb(one.span), one.gain_db) for one in mix.music_levels]


def _differing(old: _Placed, new: _Placed) -> Span | None:
    """The span from the first to the last time at which the two differ."""
    edges = sorted({edge for side in (old, new) for span, _ in side for edge in (span.start_s, span.end_s)})
    before, after = (_at(side, edges) for side in (old, new))
    found = [
        Span(start_s, end_s)
        for start_s, end_s, was, now in zip(edges, edges[1:], before, after, strict=False)
        if was != now
    ]
    return _hull(found)


def _at(side: _Placed, times_s: Sequence[float]) -> list[object]:
    """What holds at each time; None between the spans."""
    starts = [span.start_s for span, _ in side]
    last = [side[i - 1] if (i := bisect_right(starts, time_s)) else None for time_s in times_s]
    return [
        one[1] if one and time_s < one[0].end_s else None for one, time_s in zip(last, times_s, strict=True)
    ]


def _hull(spans: Iterable[Span]) -> Span | None:
    found = list(spans)
    if not found:
        return None
    return Span(min(span.start_s for span in found), max(span.end_s for span in found))


def _heard(change: Span, whole: Span, speech: Sequence[media_pb2.Span]) -> Span:
    """The beginning of the change; with the first words, if it is everywhere."""
    start_s = change.start_s
    if change == whole and speech:
        start_s = seconds_from_pb(speech[0].start)
    start_s = max(0.0, min(start_s - BEFORE_S, whole.end_s - SHORTEST_S))
    end_s = min(max(change.end_s + BEFORE_S, start_s + SHORTEST_S), start_s + LONGEST_S, whole.end_s)
    return Span(start_s, end_s)
