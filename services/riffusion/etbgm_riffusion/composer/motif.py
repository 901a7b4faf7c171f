"""The theme of a piece: two bars that return, transformed, with each emotion."""

from typing import NamedTuple

import numpy as np

from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.idioms import IDIOMS, Cell

_REACH = 5
_LEAST_RANGE = 3
"""Scale steps that a motif may move from its first note, and those that it must: less is not a melody."""


class MotifNote(NamedTuple):
    """Onset and length in beats; `step` in scale steps from the motif's first note."""

    beat: float
    length: float
    step: int


class Motif(NamedTuple):
    """Two bars of `meter` beats each."""

    notes: tuple[MotifNote, ...]
    meter: int

    def bar(self, number: int, stretch: int) -> tuple[MotifNote, ...]:
        """Returns the notes of bar `number` when all lengths are multiplied by `stretch`."""
        start = number * self.meter / stretch % (2 * self.meter)
        end = start + self.meter / stretch
        return tuple(
            MotifNote((note.beat - start) * stretch, note.length * stretch, note.step)
            for note in self.notes
            if start <= note.beat < end
        )


def make_motif(random_seed: int, meter: int, style: str) -> Motif:
    """Returns the motif of the piece with this random seed, in the idiom of a style."""
    chance, idiom = generator(random_seed, "motif", style), IDIOMS[style]
    rhythm = [*_bar(pick(chance, idiom.openings), 0, meter), *_bar(pick(chance, idiom.answers), meter, meter)]
    steps = _walk(chance, len(rhythm), idiom.intervals)
    while max(steps) - min(steps) < _LEAST_RANGE:
        steps = _walk(chance, len(rhythm), idiom.intervals)
    notes = (MotifNote(beat, length, step) for (beat, length), step in zip(rhythm, steps, strict=True))
    return Motif(tuple(notes), meter)


def _bar(cell: Cell, start: int, meter: int) -> list[tuple[float, float]]:
    return [(start + beat, min(length, meter - beat)) for beat, length in cell if beat < meter]


def _walk(chance: np.random.Generator, count: int, intervals: tuple[int, ...]) -> list[int]:
    """Returns steps from 0; a leap is followed by a step back, as singers expect."""
    steps, leap = [0], 0
    while len(steps) < count:
        interval = -int(np.sign(leap)) if abs(leap) > 2 else pick(chance, intervals)
        if abs(steps[-1] + interval) > _REACH:
            interval = -interval
        steps.append(steps[-1] + interval)
        leap = interval
    return steps
