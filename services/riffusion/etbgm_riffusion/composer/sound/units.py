"""The parts of a piece that are played separately, and the events in each."""

from bisect import bisect_left
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from etbgm_riffusion.composer.plan import unit_starts
from etbgm_riffusion.composer.score import Control, Note, Score

UNIT_S = 20.0
"""Minimum length of a unit: a tail and a new synthesiser cost little in comparison."""

TAIL_S = 4.0
"""Time in which a unit's last notes ring out."""

GRID = 64
"""Samples between possible event times: libfluidsynth's own block (FLUID_BUFSIZE)."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of the piece that one synthesiser plays; times are in samples of the piece."""

    start: int
    """Start of the unit, a multiple of GRID."""
    end: int
    """Where the next unit starts."""
    stop: int
    """Where its tail ends."""
    notes: tuple[Note, ...]
    """The notes that begin in it."""
    controls: tuple[Control, ...]
    """First the values that apply at its start, then all changes until its tail ends.

    So a note that the pedal or the key holds across the boundary sounds as if the piece were not divided:
    this unit contains the later release, and the next one starts with the pedal down.
    """


def units_of(score: Score, sample_rate_hz: int) -> tuple[Unit, ...]:
    """Returns all units, in order of time."""
    total = round(score.duration_s * sample_rate_hz)
    starts_s = [score.bars[first].start_s for first in unit_starts(score.bars, UNIT_S)]
    starts = [round(start_s * sample_rate_hz) // GRID * GRID for start_s in starts_s]
    note_times_s = [note.start_s for note in score.notes]
    control_times_s = [control.time_s for control in score.controls]
    edges = [0, *(bisect_left(note_times_s, start_s) for start_s in starts_s[1:]), len(note_times_s)]
    held: dict[tuple[int, int], Control] = {}
    units, chased = [], 0
    for index, (start, end) in enumerate(zip(starts, [*starts[1:], total], strict=True)):
        notes = score.notes[edges[index] : edges[index + 1]]
        last = max([end, *(round(note.end_s * sample_rate_hz) for note in notes)])
        stop = min(total, last + round(TAIL_S * sample_rate_hz))
        first = bisect_left(control_times_s, starts_s[index])
        held |= {(control.channel, control.controller): control for control in score.controls[chased:first]}
        chased = first
        moving = score.controls[first : bisect_left(control_times_s, stop / sample_rate_hz)]
        units.append(Unit(start, end, stop, notes, (*held.values(), *moving)))
    return tuple(units)


class Kind(IntEnum):
    """The kind of an event; simultaneous events happen in this order.

    A pedal that is pressed as a key is released does not hold its note, and a controller is set before
    the note that it shapes.
    """

    NOTE_OFF = 0
    CONTROL = 1
    NOTE_ON = 2


class Event(NamedTuple):
    """An action of a player."""

    sample: int
    """Samples from the unit's start, a multiple of GRID."""
    kind: Kind
    channel: int
    number: int
    """The pitch or the controller."""
    value: int
    """The velocity or the controller's value."""


def events_of(unit: Unit, channels: set[int], sample_rate_hz: int) -> list[Event]:
    """Returns the events of `channels` in the unit and its tail, in order."""

    def sample(time_s: float) -> int:
        return max(0, (round(time_s * sample_rate_hz) - unit.start) // GRID * GRID)

    events = [
        Event(sample(control.time_s), Kind.CONTROL, *control[1:])
        for control in unit.controls
        if control.channel in channels
    ]
    for note in unit.notes:
        if note.channel in channels:
            start = sample(note.start_s)
            end = max(sample(note.end_s), start + GRID)
            events.append(Event(start, Kind.NOTE_ON, note.channel, note.pitch, note.velocity))
            events.append(Event(end, Kind.NOTE_OFF, note.channel, note.pitch, 0))
    return sorted(events, key=lambda event: event[:2])
