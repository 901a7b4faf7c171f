"""The accompaniment: figures over the chord."""

from collections.abc import Callable

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part, onsets

_STABS = ((0, 1.5, 3), (0, 1, 2.5), (0.5, 1.5, 3), (0, 2.5, 3.5))
"""Syncopated onsets in a bar of four beats."""


def keys(bar: Bar, part: Part) -> list[Event]:
    """The section's figure: `FIGURES` by the name in `Part.figure`."""
    if part.closing or bar.beats < 1:
        return _block(bar, part)
    return FIGURES[part.figure](bar, part)


def _block(bar: Bar, part: Part) -> list[Event]:
    return [Event(0, bar.beats, pitch, part.velocity) for pitch in bar.voicing]


def _arpeggio(bar: Bar, part: Part) -> list[Event]:
    """Up and down over the chord and its lowest note's octave."""
    step = 1 / part.profile.density
    ladder = [*bar.voicing, bar.voicing[0] + 12]
    turn = [*range(len(ladder)), *range(len(ladder) - 2, 0, -1)]
    shift = 2 * (bar.number % 2)
    return [
        Event(beat, step, ladder[turn[(i + shift) % len(turn)]], part.velocity - (0 if beat % 1 == 0 else 8))
        for i, beat in enumerate(onsets(bar.beats, step))
    ]


def _broken(bar: Bar, part: Part) -> list[Event]:
    """The low note on the first beat, the others above it beat by beat."""
    upper = bar.voicing[1:]
    events = [Event(0, bar.beats, bar.voicing[0] - 12, part.velocity)]
    for beat in onsets(bar.beats, 1)[1:]:
        pitch = upper[int(beat + bar.number) % len(upper)]
        events.append(Event(beat, 1, pitch, part.velocity - 8))
        if beat == bar.beats - 2:
            events.append(Event(beat, 1, bar.voicing[0], part.velocity - 12))
    return events


def _offbeat(bar: Bar, part: Part) -> list[Event]:
    """A low note on the beat, the chord after it."""
    events = []
    for beat in onsets(bar.beats, 1):
        events.append(Event(beat, 0.5, bar.voicing[0] - 12 * (beat % 2 == 0), part.velocity - 6))
        events += [Event(beat + 0.5, 0.5, pitch, part.velocity - 10) for pitch in bar.voicing[1:]]
    return events


def _pulse(bar: Bar, part: Part) -> list[Event]:
    """The chord again and again, accented on the beat."""
    step = 1 / part.profile.density
    return [
        Event(beat, step, pitch, part.velocity - (6 if beat % 1 == 0 else 18))
        for beat in onsets(bar.beats, step)
        for pitch in bar.voicing[-3:]
    ]


def _stabs(bar: Bar, part: Part) -> list[Event]:
    """Short chords off the beat."""
    pattern = _STABS[int(part.chance.random() * len(_STABS))]
    return [
        Event(beat, 0.5, pitch, part.velocity)
        for beat in pattern
        if beat < bar.beats
        for pitch in bar.voicing
    ]


def _tremble(bar: Bar, part: Part) -> list[Event]:
    """Quick neighbours in one half of the bar: restless and uneven."""
    low, high = bar.voicing[-2:]
    first = 0 if part.chance.random() < 0.6 else bar.beats // 2
    return [
        Event(first + beat, 0.25, high if i % 2 else low, part.velocity - 10 + i % 4)
        for i, beat in enumerate(onsets(max(1, bar.beats // 2), 0.25))
    ]


FIGURES: dict[str, Callable[[Bar, Part], list[Event]]] = {
    "arpeggio": _arpeggio,
    "block": _block,
    "broken": _broken,
    "offbeat": _offbeat,
    "pulse": _pulse,
    "stabs": _stabs,
    "tremble": _tremble,
}
