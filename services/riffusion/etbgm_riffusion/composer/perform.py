"""Turns written notes into played ones: timing, touch and dynamics, as players shape them.

Deviations are small and have a separate random seed: onsets vary by some milliseconds (Repp 1992,
"Diversity and commonality in music performance"), first beats and phrase middles are stressed, and
phrases rise and fall in loudness (Todd 1992, "The dynamics of dynamics").
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from etbgm_riffusion.composer.boundaries import HOLDING
from etbgm_riffusion.composer.chance import generator
from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.score import Bar, Event, Note
from etbgm_riffusion.composer.styles import Style

_LATE_S = {"lead": 0.010, "counter": 0.010, "keys": 0.006, "pad": 0.010, "bass": 0.005, "drums": 0.003}
"""Standard deviation of a voice's onsets; notes are only delayed, so that none leaves its bar."""

_LATEST = 2.5
"""Largest delay, in standard deviations."""

_SPREAD = 3
"""Standard deviation of velocities."""

_DOWNBEAT, _OFFBEAT = 4, -4
_ARCH = 8
"""Velocity of a phrase's middle, relative to its ends."""

_ROLL_S = 0.012
"""Delay between the notes of a chord that hands pluck or strike one after the other."""

_RELEASE_S = 0.8
"""The last chord's keys are released this long before the end, so that it rings out inside the piece."""

HELD = ("pad", "bass", "counter", "drums")
"""Voices that hold the written lengths, whatever the mood's articulation."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one voice plays in one bar; `written` is what it would play without speech."""

    role: str
    channel: int
    bar: Bar
    articulation: float
    """Fraction of the written length that sounds (`profiles.Means`)."""
    rings: bool
    """True if the sustain pedal lets the notes sound until the bar's end."""
    closing: bool
    breath: bool
    """True if only the pad sounds in the bar's last beat."""
    written: tuple[Event, ...]
    played: tuple[Event, ...]


def perform(lines: Sequence[Line], style: Style, random_seed: int) -> list[Note]:
    """Returns the notes of all lines, ordered by start; notes of one channel and pitch do not overlap."""
    notes = sorted(note for line in lines for note in _play(line, style, random_seed))
    return list(_without_overlaps(notes))


def _play(line: Line, style: Style, random_seed: int) -> Iterator[Note]:
    bar = line.bar
    chance = generator(random_seed, "perform", line.role, bar.section, bar.number)
    silent_from = bar.beats - 1 if line.breath and line.role != HOLDING else math.inf
    last_s = bar.end_s - min(_RELEASE_S, 0.3 * (bar.end_s - bar.start_s)) if line.closing else math.inf
    if bar.remaining == 0:
        last_s = min(last_s, bar.end_s)
    rank, beat = 0, -1.0
    for event in sorted(line.played, key=lambda event: (event.beat, event.pitch)):
        if event.beat >= silent_from:
            continue
        rank, beat = (rank + 1 if event.beat == beat else 0), event.beat
        late_s = min(_LATEST, abs(chance.standard_normal())) * _LATE_S[line.role]
        roll_s = rank * _ROLL_S if line.role == "keys" else 0.0
        exact = bar.number == 0 and event.beat == 0
        start_s = bar.time_s(swung(event.beat, style.swing)) + (roll_s if exact else late_s + roll_s)
        end_beat = min(event.beat + event.length * line.articulation, silent_from)
        end_s = min(start_s + (end_beat - event.beat) * bar.beat_s, last_s)
        velocity = event.velocity + _stress(event, bar) + round(_SPREAD * float(chance.standard_normal()))
        yield Note(
            start_s, max(end_s, start_s + 0.02), line.channel, event.pitch, min(127, max(12, velocity))
        )


def swung(beat: float, ratio: float) -> float:
    """Returns the position of `beat` when the second eighth of each beat is at `ratio` of the beat."""
    whole, part = divmod(beat, 1.0)
    if part < 0.5:
        return whole + part * ratio / 0.5
    return whole + ratio + (part - 0.5) * (1 - ratio) / 0.5


def _stress(event: Event, bar: Bar) -> int:
    """Returns the change of velocity for the metre and the position in the phrase."""
    place = (bar.number % PHRASE_BARS + event.beat / bar.beats) / PHRASE_BARS
    metric = _DOWNBEAT if event.beat == 0 else _OFFBEAT if event.beat % 1 else 0
    return metric + round(_ARCH * (math.sin(math.pi * place) - 0.5))


def _without_overlaps(notes: list[Note]) -> Iterator[Note]:
    """Ends each note before its channel strikes the same pitch again.

    MIDI's note-off names only the pitch, so the end of the earlier note would cut off the later one.
    """
    next_start: dict[tuple[int, int], float] = {}
    trimmed = []
    for note in reversed(notes):
        place = (note.channel, note.pitch)
        end_s = min(note.end_s, next_start.get(place, math.inf))
        if end_s > note.start_s:
            trimmed.append(note._replace(end_s=end_s))
            next_start[place] = note.start_s
    return reversed(trimmed)
