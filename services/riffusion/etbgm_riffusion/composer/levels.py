"""The levels of the SoundFont's sounds, measured once (`tests/riffusion/bench/levels.py`) from FluidR3."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby

PITCHES = tuple(range(33, 100, 5))
DURATIONS_S = (0.08, 0.4, 2.0)
VELOCITIES = (56, 72, 88, 104)
"""The points where the table was measured; it is interpolated in between."""

REFERENCE_VOLUME = 100
"""Controller 7 during the measurement."""

Curve = tuple[tuple[float, ...], ...]
"""Energies in dB, one row per pitch: all durations of the first velocity, then of the next."""


def note_energy_db(drums: bool, programme: int, pitch: int, velocity: int, duration_s: float) -> float:
    """Returns 10 log10 of a note's K-weighted energy (ITU-R BS.1770-5) in seconds, at reference volume."""
    pitches, rows = _table()[drums, programme]
    if drums:
        return _touched(rows[pitches.index(pitch)], velocity, duration_s)
    low, share = _place(pitches, pitch)
    below, above = (_touched(row, velocity, duration_s) for row in rows[low : low + 2])
    return below * (1 - share) + above * share


def volume_for(gain_db: float) -> int:
    """Returns controller 7, 1 to 127, for a gain on the reference volume: 40 log10 law (GM Level 1)."""
    return max(1, min(127, round(REFERENCE_VOLUME * 10 ** (gain_db / 40))))


def _touched(energies_db: Sequence[float], velocity: int, duration_s: float) -> float:
    """Interpolates between velocities, since SoundFonts have different samples for different touches."""
    low, share = _place(VELOCITIES, velocity)
    count = len(DURATIONS_S)
    softer, harder = (_along(energies_db[i * count : (i + 1) * count], duration_s) for i in (low, low + 1))
    return softer * (1 - share) + harder * share


def _along(energies_db: Sequence[float], duration_s: float) -> float:
    """Interpolates logarithmically between durations, and extrapolates beyond the longest."""
    edges = [math.log(measured_s) for measured_s in DURATIONS_S]
    low, share = _place(edges, math.log(duration_s))
    if duration_s > DURATIONS_S[-1]:
        share = (math.log(duration_s) - edges[low]) / (edges[low + 1] - edges[low])
    return energies_db[low] * (1 - share) + energies_db[low + 1] * share


def _place(edges: Sequence[float], value: float) -> tuple[int, float]:
    """Returns the index of the edge below `value` and the fraction towards the next, inside the table."""
    bounded = min(max(value, edges[0]), edges[-1])
    low = min(bisect_right(edges, bounded) - 1, len(edges) - 2)
    return low, (bounded - edges[low]) / (edges[low + 1] - edges[low])


@cache
def _table() -> dict[tuple[bool, int], tuple[tuple[int, ...], Curve]]:
    """Returns the pitches and the curve of every sound, by (is percussion, programme)."""
    lines = files(__package__).joinpath("levels.tsv").read_text().splitlines()[1:]
    rows = [
        (kind == "drums", int(p), int(pitch), e)
        for kind, p, pitch, *e in (line.split("\t") for line in lines)
    ]
    table = {}
    for sound, group in groupby(rows, key=lambda row: row[:2]):
        measured = list(group)
        pitches = tuple(row[2] for row in measured)
        table[sound] = pitches, tuple(tuple(map(float, row[3])) for row in measured)
    return table
