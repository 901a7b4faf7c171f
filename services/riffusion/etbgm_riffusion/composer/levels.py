"""How loud the SoundFont's sounds are, measured once (`bench/levels.py`) from FluidR3."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from itertools import groupby

PITCHES = (36, 48, 60, 72, 84, 96)
DURATIONS_S = (0.2, 0.8, 3.2)
"""Where the table was measured; in between it is interpolated."""

REFERENCE_VELOCITY = 100
REFERENCE_VOLUME = 100
"""Of the measurement: MIDI velocity and controller 7."""

Curve = tuple[tuple[float, ...], ...]
"""Energies in dB, one row for a pitch, one column for a duration."""


def note_energy_db(drums: bool, programme: int, pitch: int, velocity: int, duration_s: float) -> float:
    """10 log10 of a note's K-weighted energy (ITU-R BS.1770-5) in seconds, at the reference volume.

    Velocity enters as the SoundFont 2.01 standard's default modulator has it (8.4.1):
    an attenuation of 40 log10(127 / velocity) dB.
    """
    pitches, rows = _table()[drums, programme]
    if drums:
        energy_db = rows[pitches.index(pitch)][0]
    else:
        low, share = _place(pitches, pitch)
        energy_db = _along(rows[low], duration_s) * (1 - share) + _along(rows[low + 1], duration_s) * share
    return energy_db + 40 * math.log10(velocity / REFERENCE_VELOCITY)


def volume_for(gain_db: float) -> int:
    """Controller 7, 1 to 127, for a gain against the reference volume: 40 log10 law (GM Level 1)."""
    return max(1, min(127, round(REFERENCE_VOLUME * 10 ** (gain_db / 40))))


def _along(energies_db: Sequence[float], duration_s: float) -> float:
    """Between durations, logarithmically; beyond the longest, tones go on or have died away."""
    low, share = _place([math.log(d) for d in DURATIONS_S], math.log(max(duration_s, DURATIONS_S[0])))
    return energies_db[low] * (1 - share) + energies_db[low + 1] * share


def _place(edges: Sequence[float], value: float) -> tuple[int, float]:
    """Index of the edge below `value` and the share of the way to the next, both inside the table."""
    bounded = min(max(value, edges[0]), edges[-1])
    low = min(bisect_right(edges, bounded) - 1, len(edges) - 2)
    return low, (bounded - edges[low]) / (edges[low + 1] - edges[low])


@cache
def _table() -> dict[tuple[bool, int], tuple[tuple[int, ...], Curve]]:
    """Pitches and curve of every sound, by (is percussion, programme)."""
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
