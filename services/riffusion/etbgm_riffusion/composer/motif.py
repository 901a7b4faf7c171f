"""The theme of a piece: two bars that return, transformed, with each emotion."""

from typing import NamedTuple

import numpy as np

from etbgm_riffusion.composer.chance import generator, pick

_OPENINGS = (
    ((0, 1.5), (1.5, 0.5), (2, 2)),
    ((0, 1), (1, 1), (2, 1.5), (3.5, 0.5)),
    ((0, 0.5), (0.5, 0.5), (1, 1), (2, 2)),
    ((0, 2), (2, 1), (3, 1)),
    ((0.5, 0.5), (1, 1), (2, 0.5), (2.5, 1.5)),
    ((1, 0.5), (1.5, 0.5), (2, 1), (3, 1)),
)
"""Rhythms of the first bar: onset and length in beats, for a bar of four beats."""

_ANSWERS = (
    ((0, 2), (2, 2)),
    ((0, 1), (1, 3)),
    ((0, 1.5), (1.5, 0.5), (2, 2)),
    ((0, 0.5), (0.5, 0.5), (1, 3)),
)
"""Rhythms of the second bar, which comes to rest."""

_INTERVALS = (-1, 1, -1, 1, -1, 1, 0, -2, 2, 4)
"""Scale steps between neighbouring notes: mostly stepwise (Huron 2006, Sweet Anticipation, ch. 5)."""

_REACH = 5
_LEAST_RANGE = 3
"""Minimum range: a motif that moves less is not a melody."""


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


def make_motif(random_seed: int, meter: int) -> Motif:
    """Returns the motif of the piece with this random seed."""
    chance = generator(random_seed, "motif")
    rhythm = [*_bar(pick(chance, _OPENINGS), 0, meter), *_bar(pick(chance, _ANSWERS), meter, meter)]
    steps = _walk(chance, len(rhythm))
    while max(steps) - min(steps) < _LEAST_RANGE:
        steps = _walk(chance, len(rhythm))
    notes = (MotifNote(beat, length, step) for (beat, length), step in zip(rhythm, steps, strict=True))
    return Motif(tuple(notes), meter)


def _bar(cell: tuple[tuple[float, float], ...], start: int, meter: int) -> list[tuple[float, float]]:
    return [(start + beat, min(length, meter - beat)) for beat, length in cell if beat < meter]


def _walk(chance: np.random.Generator, count: int) -> list[int]:
    """Returns steps from 0; a leap is followed by a step back, as singers expect."""
    steps, leap = [0], 0
    while len(steps) < count:
        interval = -int(np.sign(leap)) if abs(leap) > 1 else pick(chance, _INTERVALS)
        if abs(steps[-1] + interval) > _REACH:
            interval = -interval
        steps.append(steps[-1] + interval)
        leap = interval
    return steps
