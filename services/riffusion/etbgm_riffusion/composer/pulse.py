"""The pulse of a section that meets the cuts of the picture.

A strong cut is a wish for a beat. Between two cuts that are met, a whole number of beats passes, at a tempo
within TEMPO of the mood's. Which cuts are met on which beats is searched from left to right, keeping the best
beginnings (a beam); the beats in between are then laid out with the smoothest tempo that meets all of them.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Cut

TEMPO = 0.06
"""Largest relative deviation from the mood's tempo: listeners notice 6 to 8 % (Levitin & Cook 1996, "Memory
for musical tempo")."""

_SEARCHED = 0.0595
"""The same on average between two cuts; the smooth tempo goes a little further."""

EARLY_S, LATE_S = 0.075, 0.075
"""A beat this much before or after a cut falls on it: viewers notice sound that is 45 ms early or 125 ms late
(ITU-R BT.1359-1), and players are late by up to 25 ms."""

_AIMED_S = 0.055
"""Largest distance of a beat from its cut in the search; the smooth tempo leaves some more."""

STRONG = 0.5
"""Strength from which a cut is a wish."""

ALONE_S, LESS = 2.5, 0.25
"""Of strong cuts this close, the strongest counts in full, and the others this much."""

_BY_USER = 3.0
"""How much more than a cut that was found one counts that a user has placed."""

_REWARDS = (1.0, 0.9, 0.75)
"""Worth of a cut of strength 1 on a first beat, on the middle of a bar, and on another beat."""

_TEMPO_COST = 8.0
"""Cost of the squared relative deviation of the tempo, each second: 5 % over 20 s cost as much as a cut."""

_ODD_COST = 0.3
"""Cost of a bar of two beats at the section's end."""

_KEPT = 10
"""Beginnings that are kept for each cut."""

_SKIPPED = 12
"""Cuts in a row that need not be met."""

_TRIED = 8
"""Beginnings that are laid out."""

_OFF, _STEP = 0.05, 0.1
"""Usual deviation of the tempo from the mood's, and from bar to bar, relative to it."""

_EXACT_S, _WHOLE_S = 0.008, 1e-4
"""Usual distance of a beat from where it should be, and of the section's end."""

Floats = NDArray[np.float64]


class End(NamedTuple):
    """How a section ends: over `bars` bars that last `slope` b + `fixed_s`, b being the beat before them."""

    bars: int
    slope: float
    fixed_s: float


@dataclass(frozen=True, slots=True)
class Pulse:
    """Beats of each bar; seconds per beat at start and end of each bar of the steady part.

    `worth` is the sum of the strengths of the cuts that fall on beats.
    """

    bars: tuple[float, ...]
    beats_s: tuple[float, ...]
    worth: float


class _Met(NamedTuple):
    """A beat that a cut of `strength` is to fall on, its time, and how far that is from the cut."""

    time_s: float
    beats: int
    strength: float
    off_s: float


class _Start(NamedTuple):
    """The beginning of a section up to a cut that is met: its worth, beats, time, and cuts that are met."""

    worth: float
    beats: int
    time_s: float
    met: tuple[_Met, ...]


def wished(cuts: Sequence[Cut], start_s: float, end_s: float) -> list[Cut]:
    """Returns the wishes inside (start_s, end_s), with times from `start_s` on.

    Only a strong cut counts in full, so that rapid cutting falls on the beats of a steady pulse.
    """
    inside = [cut for cut in cuts if start_s < cut.time_s < end_s and cut.strength >= STRONG]
    full = set(strong(inside))
    return [
        replace(cut, time_s=cut.time_s - start_s, strength=_worth(cut, cut in full) * cut.strength)
        for cut in inside
    ]


def _worth(cut: Cut, is_strong: bool) -> float:
    return _BY_USER if cut.by_user else 1.0 if is_strong else LESS


def strong(cuts: Sequence[Cut]) -> list[Cut]:
    """Returns the strong cuts: of at least STRONG, and the strongest within ALONE_S, the first of equals.

    Those that a user has placed are stronger than others, and each of them counts.
    """
    enough = [cut for cut in cuts if cut.strength >= STRONG]
    return [
        cut
        for i, cut in enumerate(enough)
        if cut.by_user
        or all(_rank(other) < _rank(cut) for other in (*_near(enough, i, -1), *_near(enough, i, 1)))
    ]


def _rank(cut: Cut) -> tuple[bool, float, float]:
    return cut.by_user, cut.strength, -cut.time_s


def _near(cuts: Sequence[Cut], i: int, step: int) -> Iterator[Cut]:
    """Yields the neighbours of a cut within ALONE_S, in one direction."""
    at = i + step
    while 0 <= at < len(cuts) and abs(cuts[at].time_s - cuts[i].time_s) < ALONE_S:
        yield cuts[at]
        at += step


def fit(
    cuts: Sequence[Cut],
    duration_s: float,
    beat_s: float,
    meter: int,
    end_of: Callable[[tuple[float, ...]], End],
) -> Pulse | None:
    """Returns the pulse of a section that meets most of `cuts`, or None if there is none.

    `cuts` are inside (0, duration_s); `beat_s` is the mood's. `end_of` tells how a section of such bars ends.
    """
    found = []
    for start, beats in _search(cuts, duration_s, beat_s, meter)[:_TRIED]:
        bars = (float(meter),) * (beats // meter) + ((2.0,) if beats % meter else ())
        if pulse := _laid_out(bars, start.met, duration_s, beat_s, end_of(bars)):
            found.append(pulse)
    return max(found, key=lambda pulse: pulse.worth, default=None)


def _search(cuts: Sequence[Cut], duration_s: float, beat_s: float, meter: int) -> list[tuple[_Start, int]]:
    """Returns beginnings with the number of beats of the whole section, the best ones first."""
    ending: list[list[_Start]] = [[_Start(0.0, 0, 0.0, ())]]  # by the last cut that is met
    for cut in cuts:
        before = itertools.chain.from_iterable(ending[-_SKIPPED:])
        met = [further for start in before for further in _met(start, cut, beat_s, meter)]
        ending.append(sorted(met, key=lambda start: -start.worth)[:_KEPT])
    whole = [
        (worth, start, beats)
        for start in itertools.chain.from_iterable(ending)
        for beats, worth in _ended(start, duration_s, beat_s, meter)
        if start.met
    ]
    return [(start, beats) for _, start, beats in sorted(whole, key=lambda one: -one[0])]


def _met(start: _Start, cut: Cut, beat_s: float, meter: int) -> Iterator[_Start]:
    """Yields the beginning with the cut met on each beat in reach, at the time that suits best."""
    earliest_s, latest_s = cut.time_s - _AIMED_S - start.time_s, cut.time_s + _AIMED_S - start.time_s
    for count in range(max(1, math.ceil(earliest_s / beat_s - 1)), math.floor(latest_s / beat_s + 1) + 1):
        passed_s = min(max(count * beat_s, earliest_s), latest_s)
        off = math.log(passed_s / count / beat_s) if passed_s > 0 else math.inf
        if abs(off) <= _SEARCHED:
            beats = start.beats + count
            place = 0 if beats % meter == 0 else 1 if meter == 4 and beats % 2 == 0 else 2
            worth = start.worth + cut.strength * _REWARDS[place] - _TEMPO_COST * off * off * passed_s
            at_s = start.time_s + passed_s
            yield _Start(worth, beats, at_s, (*start.met, _Met(at_s, beats, cut.strength, at_s - cut.time_s)))


def _ended(start: _Start, duration_s: float, beat_s: float, meter: int) -> Iterator[tuple[int, float]]:
    """Yields the beats of the whole section that can follow, and the worth of each."""
    left_s = duration_s - start.time_s
    if left_s < beat_s / 2:
        return  # no bar line follows
    around = start.beats + round(left_s / beat_s)
    for beats in range(max(start.beats + 1, around - 4), around + 5):
        odd = beats % meter
        if odd not in (0, 2):
            continue
        off = math.log(left_s / (beats - start.beats) / beat_s)
        if abs(off) <= _SEARCHED:
            yield beats, start.worth - _TEMPO_COST * off * off * left_s - (_ODD_COST if odd else 0.0)


def _laid_out(
    bars: tuple[float, ...], met: Sequence[_Met], duration_s: float, beat_s: float, end: End
) -> Pulse | None:
    """Returns the smoothest pulse within TEMPO that meets `met`; None if it cannot fill the section."""
    steady = len(bars) - end.bars
    lines = np.concatenate(([0.0], np.cumsum(bars[:steady])))
    met = [one for one in met if one.beats <= lines[-1]]
    whole = _time_row(lines, float(lines[-1]))
    whole[-1] += end.slope
    rows = np.stack([_time_row(lines, float(one.beats)) for one in met]) if met else np.zeros((0, len(whole)))
    times_s = np.array([one.time_s for one in met])
    nodes = _smoothest(rows, times_s, whole, duration_s - end.fixed_s, beat_s)
    if not np.abs(nodes / beat_s - 1).max() <= TEMPO + 1e-3:
        return None
    late_s = rows @ nodes - times_s + [one.off_s for one in met]
    worth = sum(one.strength for one, by_s in zip(met, late_s, strict=True) if -EARLY_S <= by_s <= LATE_S)
    return Pulse(bars, tuple(nodes.tolist()), worth)


def _time_row(lines: Floats, beats: float) -> Floats:
    """Returns the weights of the beats at the bars' starts and ends in the time of `beats`, (2 bars,).

    The length changes linearly within a bar (`score.Bar.time_s`).
    """
    lengths = np.diff(lines)
    inside = np.clip(beats - lines[:-1], 0.0, lengths)
    late = inside * inside / (2 * lengths)
    row: Floats = np.stack([inside - late, late], axis=1).ravel()
    return row


def _smoothest(rows: Floats, times_s: Floats, whole: Floats, whole_s: float, beat_s: float) -> Floats:
    """Returns the beat's lengths (n,), within TEMPO, that change little and bring rows @ lengths near times.

    Bounded least squares (Stark & Parker 1995, "Bounded-variable least-squares"). Then whole @ lengths =
    `whole_s` exactly.
    """
    from scipy.optimize import lsq_linear

    count = len(whole)
    parts = [
        (np.eye(count) / _OFF, np.zeros(count)),
        (np.diff(np.eye(count), axis=0) / _STEP, np.zeros(count - 1)),
        (rows * beat_s / _EXACT_S, (times_s - rows.sum(1) * beat_s) / _EXACT_S),
        (whole[None] * beat_s / _WHOLE_S, np.array([whole_s - whole.sum() * beat_s]) / _WHOLE_S),
    ]
    matrix, aim = (np.concatenate(part) for part in zip(*parts, strict=True))
    lengths: Floats = beat_s * (1 + lsq_linear(matrix, aim, (-TEMPO, TEMPO), method="bvls").x)
    lengths += (whole_s - whole @ lengths) / whole.sum()
    return lengths
