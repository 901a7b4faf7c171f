"""The second voice: a slow line below the lead that moves where the lead rests."""

from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part

_CENTRE = 57
_LOWEST, _HIGHEST = 48, 69
_STEP = 2
"""Semitones that the line prefers to move between chord notes."""


def counter(bar: Bar, part: Part) -> list[Event]:
    """Rests in a period's first phrase, then writes one or two notes a bar; phrases alternate up and down.

    Stepwise lines against the lead's direction keep the voices apart (Huron 2001).
    """
    phrase = bar.number // PHRASE_BARS
    centre = _CENTRE + round(part.mood.register / 2)
    if part.closing:
        return [Event(0, bar.beats, _near(centre, bar, (0, 2)), part.velocity - 10)]
    if phrase % 2 == 0 or bar.beats < 2:
        return []
    direction = 1 if (phrase // 2 + part.variant) % 2 else -1
    first = _near((part.last or centre) + direction * _STEP, bar, (0, 1, 2))
    if part.mood.density < 0.8:
        return [Event(0, bar.beats, first, part.velocity - 8)]
    half = bar.beats // 2
    second = _near(first + direction * 2 * _STEP, bar, (0, 1, 2))
    return [
        Event(0, half, first, part.velocity - 8),
        Event(half, bar.beats - half, second, part.velocity - 10),
    ]


def _near(pitch: int, bar: Bar, members: tuple[int, ...]) -> int:
    """Returns the chord note in the voice's range that is nearest to `pitch`."""
    wanted = {bar.chord.notes[member] for member in members}
    return min(
        (p for p in range(_LOWEST, _HIGHEST + 1) if p % 12 in wanted), key=lambda p: (abs(p - pitch), p)
    )
