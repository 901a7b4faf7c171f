"""How melodies move in each style, as data.

Rhythms are written as an onset and a length in beats for a bar of four beats: "0+1.5 1.5+.5 2+2".
Intervals are scale steps between neighbouring notes; a larger share of steps than of leaps is common to
songs everywhere (Huron 2006, "Sweet Anticipation", ch. 5), and what the styles add is theirs: the repeated
notes of pop, the arpeggios of jazz and electronic music, the long notes of film and ambient music.
"""

from dataclasses import dataclass

Cell = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Idiom:
    """How a style's motifs are made."""

    openings: tuple[Cell, ...]
    """Rhythms of a motif's first bar: onset and length in beats."""
    answers: tuple[Cell, ...]
    """Rhythms of its second bar, which comes to rest."""
    intervals: tuple[int, ...]
    """Scale steps from note to note; frequent ones are listed more than once."""
    sequence: tuple[int, ...]
    """Scale steps by which a repeated phrase may move."""
    ornaments: float
    """Probability that a later phrase gives long notes a neighbour."""
    longest: int = 2
    """Largest factor for the motif's lengths (`profiles.Profile.stretch`)."""


def _cells(written: str) -> tuple[Cell, ...]:
    bars = (bar.split() for bar in written.split("|"))
    return tuple(tuple(_note(note) for note in bar) for bar in bars)


def _note(written: str) -> tuple[float, float]:
    onset, length = written.split("+")
    return float(onset), float(length)


IDIOMS: dict[str, Idiom] = {
    "acoustic": Idiom(
        _cells("0+1 1+.5 1.5+.5 2+2 | 0+.5 .5+.5 1+1 2+1 3+1 | 0+1.5 1.5+.5 2+1 3+1 | 0+1 1+1 2+.5 2.5+1.5"),
        _cells("0+1 1+1 2+2 | 0+1.5 1.5+.5 2+2 | 0+.5 .5+.5 1+3"),
        (1, 1, -1, -1, 2, -2, -1, 1, 2, -3), (0, 0, 1, -1, 2), 0.5,
    ),
    "ambient": Idiom(
        _cells("0+4 | 0+3 3+1 | 1+3 | 0+2 2+2 | 0+2.5 2.5+1.5"),
        _cells("0+4 | 0+3 3+1 | 0+2 2+2"),
        (2, -2, 1, -1, 4, -3, 3), (0, 0, -2, 2), 0.2, longest=1,
    ),
    "cinematic": Idiom(
        _cells("0+2 2+2 | 0+3 3+1 | 0+2 2+1 3+1 | 0+1.5 1.5+.5 2+2 | 0+1 1+3"),
        _cells("0+4 | 0+3 3+1 | 0+2 2+2 | 0+1 1+3"),
        (1, 1, -1, 4, -1, -2, 2, 1, -1, 3), (0, 1, 2, -1, 3), 0.25,
    ),
    "electronic": Idiom(
        _cells("0+.5 .75+.5 1.5+.5 2+.5 2.75+.5 3.5+.5 | 0+.75 .75+.75 1.5+.5 2+1 3+1"
               " | 0+.5 .5+.5 1.5+.5 2.5+.5 3+.5 3.5+.5 | 0+1.5 1.5+1.5 3+1"),
        _cells("0+.75 .75+.75 1.5+2.5 | 0+.5 .5+.5 1.5+2 | 0+1.5 1.5+2.5"),
        (2, -2, 2, -2, 3, -3, 0, 1, -1, 4, -4), (0, 0, 2, -2), 0.1,
    ),
    "jazz": Idiom(
        _cells("0+.5 .5+.5 1+.5 1.5+1 2.5+.5 3+1 | .5+.5 1+.5 1.5+.5 2+1.5 3.5+.5 | 0+1 1.5+.5 2+.5 2.5+1.5"
               " | 0+.5 .5+1 1.5+.5 2.5+1.5"),
        _cells("0+.5 .5+1 1.5+2.5 | .5+.5 1+.5 1.5+2.5 | 0+1 1.5+2"),
        (2, 2, -1, -1, 2, -3, 1, -2, -2, 3, -4), (0, -1, 1, 2, -2, 3), 0.6,
    ),
    "lofi": Idiom(
        _cells("0+1 1.5+1 2.5+1.5 | .5+1 1.5+.5 2+2 | 0+.75 .75+.75 1.5+2.5 | 1+.5 1.5+.5 2.5+1.5"),
        _cells("0+1 1.5+2.5 | 0+2 2.5+1.5 | .5+1.5 2+2"),
        (-1, -1, 1, -2, 2, -1, 0, -2, 3, 1), (0, 0, -1, 1, -2), 0.3,
    ),
    "orchestral": Idiom(
        _cells("0+1.5 1.5+.5 2+1.5 3.5+.5 | 0+2 2+.5 2.5+.5 3+1 | 0+1 1+1 2+1 3+1 | 0+3 3+.5 3.5+.5"),
        _cells("0+2 2+1 3+1 | 0+1 1+1 2+2 | 0+1.5 1.5+.5 2+2"),
        (1, 1, 1, -1, 2, 3, -1, -1, -2, 4, -1), (0, 1, 2, 3, -1), 0.5,
    ),
    "pop": Idiom(
        _cells("0+.5 .5+.5 1+.5 1.5+1 2.5+.5 3+1 | 0+1 1+.5 1.5+.5 2.5+.5 3+1 | .5+.5 1+.5 1.5+.5 2+1 3+1"
               " | 0+.5 .5+1 1.5+1 2.5+1.5"),
        _cells("0+.5 .5+.5 1+1 2+2 | 0+1.5 1.5+2.5 | 0+1 1+.5 1.5+2.5"),
        (0, 0, -1, 1, -1, 0, 1, -2, 2, -1), (0, 0, 0, 1, -1), 0.2,
    ),
}  # fmt: skip
"""The idiom of each style."""
