"""Voice-leading: how the upper voices move from one chord to the next.

Rules of four-part writing (Huron 2001, "Tone and voice: a derivation of the rules of voice-leading from
perceptual principles"): move as little as possible, avoid parallel fifths and octaves and leaps beyond a
sixth, stay below a ceiling. A minor ninth or a semitone is only written where no position avoids it.
"""

import itertools
from collections.abc import Iterable
from functools import lru_cache

from etbgm_riffusion.composer.theory import Chord, nearest

_BASS_CENTRE = 36
"""C2: roots lie between G1 and F#2."""

_PARALLEL, _LEAP, _NINTH, _DISTANCE = 80.0, 60.0, 25.0, 0.5
"""Costs of two voices in parallel fifths or octaves, of a leap beyond a sixth, of a minor ninth or a
semitone, and of each semitone's distance from the middle. A semitone of movement costs 1."""

SIXTH = 9
"""Semitones of a major sixth, the largest leap of a voice that costs nothing more."""
_OCTAVE = 12
_VOICES = 4
"""Upper voices at most, unless the chord has more notes."""
_MIDDLE = 6
"""Semitones from the ceiling to the middle of the upper voices."""
_DEPTH = 19
"""Semitones below the ceiling in which the upper voices lie."""


def bass_note(pitch_class: int) -> int:
    """Returns the bass pitch for a root."""
    return nearest(_BASS_CENTRE, [pitch_class])


def voice(chord: Chord, before: tuple[int, ...], ceiling: int) -> tuple[int, ...]:
    """Returns bass and upper voices for `chord`, from low to high; `before` is the last voicing or ().

    Compares all positions between the bass and `ceiling`, the highest MIDI pitch, which is
    at least an octave and a half above the bass, and returns the cheapest.
    """
    bass = bass_note(chord.root)
    return min(
        ((bass, *upper) for upper in _positions(chord, ceiling) if upper[0] > bass),
        key=lambda voicing: (_cost(voicing, before, ceiling - _MIDDLE), voicing),
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


def ninths(pitches: Iterable[int]) -> int:
    """Counts the pairs of pitches that are a semitone apart, or a semitone and octaves."""
    return sum((high - low) % 12 == 1 for low, high in itertools.combinations(sorted(pitches), 2))


@lru_cache(maxsize=1024)
def _positions(chord: Chord, ceiling: int) -> tuple[tuple[int, ...], ...]:
    """Returns all positions of three to four voices below `ceiling` without gaps beyond an octave.

    Triads may double a note; larger chords may leave out their root, which the bass plays.
    """
    found: dict[tuple[int, ...], None] = {}
    for notes in (set(chord.notes), set(chord.notes[len(chord.notes) > 3 :])):
        pitches = [p for p in range(ceiling - _DEPTH, ceiling + 1) if p % 12 in notes]
        for count in range(len(notes), max(_VOICES, len(notes)) + 1):
            for upper in itertools.combinations(pitches, count):
                gaps = (high - low for low, high in itertools.pairwise(upper))
                if {pitch % 12 for pitch in upper} == notes and max(gaps) <= _OCTAVE:
                    found[upper] = None
    return tuple(found)


def _cost(voicing: tuple[int, ...], before: tuple[int, ...], centre: int) -> float:
    upper = voicing[1:]
    off = _DISTANCE * abs(sum(upper) / len(upper) - centre) + 3.0 * abs(len(upper) - 3)
    off += _NINTH * ninths(voicing)
    if not before:
        return off
    origins = _origins(before, voicing)
    moves = [abs(pitch - origin) for pitch, origin in zip(upper, origins[1:], strict=True)]
    leaps = sum(move > SIXTH for move in moves)
    return off + sum(moves) + _LEAP * leaps + _PARALLEL * parallels(before, voicing)
