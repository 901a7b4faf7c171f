"""Voice-leading: how the upper voices move from one chord to the next.

Rules of four-part writing (Huron 2001, "Tone and voice: a derivation of the rules of voice-leading from
perceptual principles"): move as little as possible, avoid parallel fifths and octaves and leaps beyond a
sixth, stay in range.
"""

import itertools
from collections.abc import Iterator

from etbgm_riffusion.composer.theory import Chord, nearest

_BASS_CENTRE = 39
"""E flat 2: roots lie between A1 and G#2."""

_PARALLEL, _LEAP, _DISTANCE = 40.0, 30.0, 0.5
"""Costs of two voices in parallel fifths or octaves, of a leap beyond a sixth, and of each semitone's
distance from the middle. A semitone of movement costs 1."""

_SIXTH = 9
_REACH = 7
"""Semitones from the middle within which the lowest voice is searched."""


def bass_note(pitch_class: int) -> int:
    """Returns the bass pitch for a root."""
    return nearest(_BASS_CENTRE, [pitch_class])


def voice(chord: Chord, before: tuple[int, ...], centre: int) -> tuple[int, ...]:
    """Returns bass and upper voices for `chord`, from low to high; `before` is the last voicing or ().

    Compares all close and open positions near `centre` and returns the cheapest.
    """
    bass = bass_note(chord.root)
    return min(
        ((bass, *upper) for upper in _positions(chord, centre)),
        key=lambda voicing: (_cost(voicing, before, centre), voicing),
    )


def parallels(before: tuple[int, ...], after: tuple[int, ...]) -> int:
    """Counts the pairs of voices in parallel fifths or octaves between two voicings."""
    moves = list(zip(_origins(before, after), after, strict=True))
    return sum(
        low != low_after and (high - low) % 12 in (0, 7) and high_after - high == low_after - low
        for (low, low_after), (high, high_after) in itertools.combinations(moves, 2)
    )


def _origins(before: tuple[int, ...], after: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the note that each note of `after` comes from; a new voice comes from the nearest note."""
    if len(before) == len(after):
        return before
    return (before[0], *(min(before[1:], key=lambda pitch: abs(pitch - note)) for note in after[1:]))


def _positions(chord: Chord, centre: int) -> Iterator[tuple[int, ...]]:
    """Yields close and open positions around `centre`.

    There are three or four voices: triads with a doubled lowest note, larger chords without their root,
    which the bass plays.
    """
    for notes in (set(chord.notes), set(chord.notes[len(chord.notes) > 3 :])):
        for lowest in range(centre - 5 - _REACH, centre - 4 + _REACH):
            if lowest % 12 not in notes:
                continue
            close = tuple(sorted(lowest + (note - lowest) % 12 for note in notes))
            yield close
            yield tuple(sorted((*close[:-2], close[-2] - 12, close[-1])))
            if len(close) == 3:
                yield (*close, close[0] + 12)


def _cost(voicing: tuple[int, ...], before: tuple[int, ...], centre: int) -> float:
    upper = voicing[1:]
    off = _DISTANCE * abs(sum(upper) / len(upper) - centre) + 3.0 * abs(len(upper) - 3)
    if not before:
        return off
    origins = _origins(before, voicing)
    moves = [abs(pitch - origin) for pitch, origin in zip(upper, origins[1:], strict=True)]
    leaps = sum(move > _SIXTH for move in moves)
    return off + sum(moves) + _LEAP * leaps + _PARALLEL * parallels(before, voicing)
