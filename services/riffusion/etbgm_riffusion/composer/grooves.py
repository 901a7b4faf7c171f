"""Reads the drum patterns of `grooves.tsv`.

A line of the table is one groove of a kit: a drum and its bar of four beats, in eighths or sixteenths,
X loud, x medium, o soft; after "|" the bar that alternates with the first. The column `drive` says how
much percussion the emotion wants, from 1 to 3; "heavy" grooves are in half time, with the backbeat on the
third beat, and "fill" lines are one or two beats in sixteenths that lead into the next phrase.
"""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

DRUMS: dict[str, int] = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "low": 41, "hat": 42, "pedal": 44, "mid": 45,
    "open": 46, "high": 48, "ride": 51, "bell": 53, "tamb": 54, "crash": 57, "cymbal": 57, "conga": 63,
    "congalow": 64, "shaker": 70, "block": 76,
}  # fmt: skip
"""Drums by name, in General MIDI's numbering."""

TIMPANI = range(41, 53)
"""The orchestra kit's timpani, from F2: "timp" plays the bar's root, "timp5" its fifth."""

PITCHES = tuple(sorted({*DRUMS.values(), *TIMPANI}))
"""All keys of the percussion channel that are played."""

HEAVY, FILL = "heavy", "fill"

_LOUDNESS = {"X": 4, "x": -8, "o": -24}
_EIGHTHS = 8
_SIXTEENTHS_PER_BEAT = 4


class Stroke(NamedTuple):
    """One stroke of a drum: its name, its beat, and its velocity relative to the mood's."""

    drum: str
    beat: float
    accent: int


Bar = tuple[Stroke, ...]
Groove = tuple[Bar, Bar]
"""Two alternating bars."""


def grooves_of(kit: str, drive: int | str) -> tuple[Groove, ...]:
    """Returns the grooves of a kit for 1 to 3 or HEAVY."""
    return _table()[kit, str(drive)]


def fills_of(kit: str) -> tuple[tuple[Bar, float], ...]:
    """Returns the fills of a kit and their lengths in beats, 1 or 2."""
    return tuple((bars[0], _length(bars[0])) for bars in _table()[kit, FILL])


def _length(fill: Bar) -> float:
    return 2.0 if max(stroke.beat for stroke in fill) >= 1 else 1.0


@cache
def _table() -> dict[tuple[str, str], tuple[Groove, ...]]:
    lines = files(__package__).joinpath("grooves.tsv").read_text().splitlines()[1:]
    table: dict[tuple[str, str], tuple[Groove, ...]] = {}
    for kit, drive, written in (line.split("\t") for line in lines):
        groove = _groove(written, drive == FILL)
        table[kit, drive] = (*table.get((kit, drive), ()), groove)
    return table


def _groove(written: str, fill: bool) -> Groove:
    first: list[Stroke] = []
    second: list[Stroke] = []
    for row in written.split():
        drum, _, marks = row.partition(":")
        one, _, other = marks.partition("|")
        first += _strokes(drum, one, fill)
        second += _strokes(drum, other or one, fill)
    return tuple(first), tuple(second)


def _strokes(drum: str, marks: str, fill: bool) -> list[Stroke]:
    step = 0.5 if len(marks) == _EIGHTHS and not fill else 1 / _SIXTEENTHS_PER_BEAT
    return [
        Stroke(drum, place * step, _LOUDNESS[mark]) for place, mark in enumerate(marks) if mark in _LOUDNESS
    ]
