"""The second voice: a slow line below the lead that moves where the lead rests."""

from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.registers import lead_range
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part

_LOWEST, _HIGHEST = 48, 69
_LARGEST_MOVE = 7
"""Semitones that the line prefers not to exceed."""


def counter(bar: Bar, part: Part) -> list[Event]:
    """Rests in a period's first phrase, then writes one or two notes a bar; phrases alternate up and down.

    The line moves from chord note to chord note and turns round at the ends of its range, so it never
    repeats a pitch. Lines against the lead's direction keep the voices apart (Huron 2001).
    """
    phrase = bar.number // PHRASE_BARS
    direction = 1 if (phrase // 2 + part.variant + bar.number // 2) % 2 else -1
    first = _next(part.last, direction, bar, part)
    if part.closing:
        return [Event(0, bar.beats, first, part.velocity - 10)]
    if phrase % 2 == 0 or bar.beats < 2:
        return []
    if part.mood.density < 0.8:
        return [Event(0, bar.beats, first, part.velocity - 8)]
    half = bar.beats // 2
    return [
        Event(0, half, first, part.velocity - 8),
        Event(half, bar.beats - half, _next(first, direction, bar, part), part.velocity - 10),
    ]


def _next(last: int | None, direction: int, bar: Bar, part: Part) -> int:
    """Returns the chord note that comes next from `last` in the direction, or in the other one at the end."""
    ceiling = min(_HIGHEST, lead_range(part.mood)[0])
    notes = [p for p in range(_LOWEST, ceiling + 1) if p % 12 in bar.chord.notes[:3] and p != last]
    start = (_LOWEST + ceiling) // 2 if last is None else last
    return min(
        notes, key=lambda p: (abs(p - start) > _LARGEST_MOVE, (p - start) * direction < 0, abs(p - start), p)
    )
