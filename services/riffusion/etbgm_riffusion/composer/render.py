"""From score to sound, in units that do not depend on where a cue is cut.

The piece is divided at bar lines into units. Each is played by a fresh synthesiser
from its own notes, with a tail in which they ring out; the sound of a moment is the
sum, in order, of the units that reach it. So every cue computes the same samples for
the same moment, and a call never holds more than one unit and the tails before it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from etbgm_kit.types import Span
from etbgm_riffusion.composer.plan import unit_starts
from etbgm_riffusion.composer.score import Note, Score
from etbgm_riffusion.composer.synth import Player, Synth
from etbgm_riffusion.types import Stereo

UNIT_S = 20.0
"""Least length of a unit: a tail and a fresh synthesiser cost little against it."""

TAIL_S = 4.0
_TAIL_FADE_S = 1.0

GRID = 64
"""Samples between possible event times: libfluidsynth's own block (FLUID_BUFSIZE)."""

_BLOCK = 1 << 15
"""Samples of a block handed on."""

_FADE_IN_S = 0.01
_FADE_OUT_S = 1.5
_KNEE, _CEILING = 0.6, 0.88
"""Peaks above the knee bend towards the ceiling, -1.1 dBFS, so nothing clips."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of the piece that one synthesiser plays; times in samples of the piece."""

    start: int
    end: int
    """Where the next unit starts."""
    stop: int
    """Where its tail ends."""
    notes: tuple[Note, ...]


def units_of(score: Score, sample_rate_hz: int) -> tuple[Unit, ...]:
    """All units, in order of time."""
    firsts = unit_starts(score.bars, UNIT_S)
    starts_s = [score.bars[first].start_s for first in firsts]
    edges = np.searchsorted([note.start_s for note in score.notes], [*starts_s[1:], np.inf])
    total = round(score.duration_s * sample_rate_hz)
    starts = [round(start_s * sample_rate_hz) for start_s in starts_s]
    units, first_note = [], 0
    for start, end, last_note in zip(starts, [*starts[1:], total], edges, strict=True):
        stop = min(total, end + round(TAIL_S * sample_rate_hz))
        units.append(Unit(start, end, stop, score.notes[first_note:last_note]))
        first_note = int(last_note)
    return tuple(units)


def render(
    score: Score, cue: Span, synth: Synth, sample_rate_hz: int, report: Callable[[float], None]
) -> Iterator[Stereo]:
    """The cue's sound in blocks; `report` hears the share done and may raise to stop.

    Altogether round(end * rate) - round(start * rate) samples, below -1 dBFS.
    """
    first, last = (round(time_s * sample_rate_hz) for time_s in (cue.start_s, cue.end_s))
    total = round(score.duration_s * sample_rate_hz)
    reaching = [unit for unit in units_of(score, sample_rate_hz) if unit.stop > first and unit.start < last]
    tails = np.zeros((0, 2), np.float32)
    for index, unit in enumerate(reaching):

        def report_unit(share: float, index: int = index) -> None:
            report((index + share) / len(reaching))

        sound = render_unit(unit, score, synth, sample_rate_hz, min(unit.stop, last), report_unit)
        sound[: len(tails)] += tails[: len(sound)]
        own = unit.end - unit.start
        tails = np.concatenate([sound[own:], tails[len(sound) :]])
        end = min(last, unit.end)
        for begin in range(max(first, unit.start), end, _BLOCK):
            block = sound[begin - unit.start : min(begin + _BLOCK, end) - unit.start]
            yield master(block, begin, total, sample_rate_hz)


def render_unit(
    unit: Unit,
    score: Score,
    synth: Synth,
    sample_rate_hz: int,
    until: int,
    report: Callable[[float], None],
) -> Stereo:
    """The unit's sound from its start to `until`, a sample of the piece in its reach."""
    channels = {note.channel for note in unit.notes}
    player = synth.player([voice for voice in score.voices if voice.channel in channels], sample_rate_hz)
    sound = np.zeros((until - unit.start, 2), np.float32)
    try:
        _play(player, _events(unit, sample_rate_hz), sound, report)
    finally:
        player.close()
    fade = round(_TAIL_FADE_S * sample_rate_hz)
    ramp = np.clip((unit.stop - np.arange(unit.end, until)) / fade, 0, 1).astype(np.float32)
    sound[unit.end - unit.start :] *= ramp[:, None]
    return sound


_Event = tuple[int, bool, Note]
"""Sample from the unit's start, True for a note's beginning, the note."""


def _events(unit: Unit, sample_rate_hz: int) -> list[_Event]:
    """Beginnings and ends of the unit's notes on the grid; at one time, ends come first."""
    events = []
    for note in unit.notes:
        start = (round(note.start_s * sample_rate_hz) - unit.start) // GRID * GRID
        end = (round(note.end_s * sample_rate_hz) - unit.start) // GRID * GRID
        events.append((start, True, note))
        events.append((max(end, start + GRID), False, note))
    return sorted(events)


def _play(player: Player, events: list[_Event], sound: Stereo, report: Callable[[float], None]) -> None:
    now = 0
    for time, begins, note in events:
        if time >= len(sound):
            break
        if time > now:
            player.render(sound[now:time])
            now = time
            report(now / len(sound))
        if begins:
            player.note_on(note.channel, note.pitch, note.velocity)
        else:
            player.note_off(note.channel, note.pitch)
    while now < len(sound):
        block = sound[now : now + 256 * GRID]
        player.render(block)
        now += len(block)
        report(now / len(sound))


def master(sound: Stereo, begin: int, total: int, sample_rate_hz: int) -> Stereo:
    """Limits peaks and fades the piece's ends; `begin` is the sound's place in the piece.

    Depends on nothing but each sample and its place, so cuts cannot be heard.
    """
    loud = np.abs(sound)
    room = _CEILING - _KNEE
    bent = _KNEE + room * np.tanh((loud - _KNEE) / room)
    sound = np.where(loud > _KNEE, np.copysign(bent, sound), sound).astype(np.float32)
    place = np.arange(begin, begin + len(sound))
    fade_in = min(_FADE_IN_S * sample_rate_hz, total / 4)
    fade_out = min(_FADE_OUT_S * sample_rate_hz, total / 2)
    gain = np.minimum(place / fade_in, (total - 1 - place) / fade_out)
    faded: Stereo = sound * np.clip(gain, 0, 1).astype(np.float32)[:, None]
    return faded
