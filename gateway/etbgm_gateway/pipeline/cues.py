"""Splits the music into cues, each rendered by one call.

Cues of one bed join sample-exactly wherever they are cut, so the cuts only affect speed:
a cue is short enough that the replicas share the work of a long video, and long enough
that a call is worth its overhead. Cuts are preferably at emotion boundaries, where the
music changes anyway.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from etbgm_kit.types import EmotionTimeline, Span

SHORTEST_S, TARGET_S, LONGEST_S = 60.0, 90.0, 120.0
"""Length of a cue, in seconds. A remainder below LONGEST_S is one cue."""


def split(timeline: EmotionTimeline) -> tuple[Span, ...]:
    """Returns cues that cover [0, duration), each SHORTEST_S to LONGEST_S long; the last may be shorter."""
    boundaries = [span.span.start_s for span in timeline.spans[1:]]
    cues, start_s = [], 0.0
    while timeline.duration_s - start_s > LONGEST_S:
        end_s = _cut(start_s, boundaries)
        cues.append(Span(start_s, end_s))
        start_s = end_s
    return (*cues, Span(start_s, timeline.duration_s))


def expected(duration_s: float) -> int:
    """Estimates the number of cues of a video of this length, before its emotions are known."""
    return max(1, round(duration_s / TARGET_S))


def _cut(start_s: float, boundaries: Sequence[float]) -> float:
    """Returns the boundary nearest to TARGET_S after `start_s`, or that point if none is in reach."""
    target_s = start_s + TARGET_S
    first = bisect_left(boundaries, start_s + SHORTEST_S)
    in_reach = boundaries[first : bisect_right(boundaries, start_s + LONGEST_S, first)]
    return min(in_reach, key=lambda b: abs(b - target_s), default=target_s)
