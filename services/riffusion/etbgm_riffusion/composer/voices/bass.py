"""The bass: the root and the movement around it."""

from collections.abc import Callable

from etbgm_riffusion.composer.harmony import clashes
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.theory import nearest
from etbgm_riffusion.composer.voices.part import Part, onsets

_STEPS = (-2, -1, 1, 2, -5, 7)
"""Semitones from the next root to the notes that may lead to it, in order of preference."""


def bass(bar: Bar, part: Part) -> list[Event]:
    """Writes the emotion's movement (`Profile.bass`), or what the style replaces it with (`Style.basses`)."""
    movement = part.style.basses.get(part.profile.bass, part.profile.bass)
    if part.closing or bar.beats < 2:
        return _whole(bar, part)
    return MOVEMENTS[movement](bar, part)


def _root(bar: Bar) -> int:
    return bar.voicing[0]


def _fifth(bar: Bar) -> int:
    return nearest(_root(bar) + 4, [bar.chord.fifth])


def _approach(bar: Bar, part: Part) -> int:
    """Returns a note of the scale that leads to the next root and does not clash with this chord."""
    goal = part.following.voicing[0] if part.following else _root(bar)
    side = -1 if goal < _root(bar) else 1
    leading = (goal + side * step for step in _STEPS)
    return next((pitch for pitch in leading if _fits(pitch, bar, part)), _fifth(bar))


def _fits(pitch: int, bar: Bar, part: Part) -> bool:
    """Returns whether no chord note and no note that the lead may sing is a semitone above `pitch`."""
    above = (pitch + 1) % 12
    sung = above in part.scale and not clashes(above, bar.chord)
    return pitch % 12 in part.scale and not sung and not clashes(pitch, bar.chord)


def _whole(bar: Bar, part: Part) -> list[Event]:
    return [Event(0, bar.beats, _root(bar), part.velocity)]


def _half(bar: Bar, part: Part) -> list[Event]:
    half = bar.beats // 2
    second = _fifth(bar) if part.variant % 2 else _root(bar)
    return [
        Event(0, half, _root(bar), part.velocity),
        Event(half, bar.beats - half, second, part.velocity - 8),
    ]


def _two(bar: Bar, part: Part) -> list[Event]:
    """In two, with an approach to the next bar at the end."""
    return [*_half(bar, part)[:1], Event(bar.beats - 1, 1, _approach(bar, part), part.velocity - 8)]


def _lean(bar: Bar, part: Part) -> list[Event]:
    """A long root, then its fifth, or at a peak of tension a dragging semitone above it."""
    last = bar.beats - 1
    return [
        Event(0, last, _root(bar), part.velocity),
        Event(last, 1, _root(bar) + 1 if bar.tense else _fifth(bar), part.velocity - 6),
    ]


def _bounce(bar: Bar, part: Part) -> list[Event]:
    """Root and fifth on the strong beats, with a pick-up before the next bar."""
    half, last = bar.beats // 2, bar.beats - 1
    strokes = [Event(0, 1, _root(bar), part.velocity), Event(half, 1, _fifth(bar), part.velocity - 6)]
    if part.variant % 2:
        strokes.append(Event(last + 0.5, 0.5, _approach(bar, part), part.velocity - 10))
    return strokes


def _skip(bar: Bar, part: Part) -> list[Event]:
    """The root on the first beat, then off the beat an octave higher."""
    offs = (1, 2.5) if part.variant % 2 else (2, 3.5)
    return [
        Event(0, 0.75, _root(bar), part.velocity),
        *(Event(beat, 0.5, _root(bar) + 12, part.velocity - 8) for beat in offs if beat < bar.beats),
    ]


def _drive(bar: Bar, part: Part) -> list[Event]:
    """Eighths on the root; the last one leads to the next bar."""
    beats = onsets(bar.beats, 0.5)
    pitches = [_root(bar)] * (len(beats) - 1) + [_approach(bar, part)]
    return [
        Event(beat, 0.45, pitch, part.velocity - (0 if beat % 1 == 0 else 12))
        for beat, pitch in zip(beats, pitches, strict=True)
    ]


def _octaves(bar: Bar, part: Part) -> list[Event]:
    return [
        Event(beat, 0.45, _root(bar) + 12 * (beat % 1 > 0), part.velocity - (0 if beat % 1 == 0 else 10))
        for beat in onsets(bar.beats, 0.5)
        if beat % 1 > 0 or int(beat) % 2 == part.variant // 2 % 2 or beat == 0
    ]


def _lazy(bar: Bar, part: Part) -> list[Event]:
    """Late and syncopated, with rests."""
    offs = (1.5, 2.5) if part.variant % 2 else (2.5, 3.5)
    return [
        Event(0, 1.25, _root(bar), part.velocity),
        *(Event(beat, 0.5, _fifth(bar), part.velocity - 10) for beat in offs if beat < bar.beats),
    ]


def _walk(bar: Bar, part: Part) -> list[Event]:
    """A note a beat: root, chord notes, and an approach to the next root (Berliner 1994, ch. 7)."""
    third = nearest(_root(bar) + 4, [bar.chord.notes[1]])
    inner = [third, _fifth(bar), third + 12, _root(bar) + 12]
    pitches = [_root(bar), *(inner[(part.variant + i) % 4] for i in range(int(bar.beats) - 2))]
    return [
        Event(beat, 0.9, pitch, part.velocity - 4 * (beat % 2))
        for beat, pitch in enumerate([*pitches, _approach(bar, part)])
    ]


MOVEMENTS: dict[str, Callable[[Bar, Part], list[Event]]] = {
    "bounce": _bounce,
    "drive": _drive,
    "half": _half,
    "lazy": _lazy,
    "lean": _lean,
    "octaves": _octaves,
    "root": _whole,
    "skip": _skip,
    "two": _two,
    "walk": _walk,
    "whole": _whole,
}
