"""Harmony: which loop a theme has, how its chords are coloured, and how keys are joined.

Chords are triads of the mode (`progressions`). Marks colour them; a mark that would put a semitone or a
minor ninth between two notes of the chord is only used where the music is tense (`tense`), because minor
ninths are the harshest interval of tonal harmony (Persichetti 1961, "Twentieth-Century Harmony", ch. 1).
"""

from collections.abc import Sequence

import numpy as np

from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.progressions import LOOPS, Loop
from etbgm_riffusion.composer.theory import MODES, Chord, Key

PHRASE_BARS = 4

_PERIOD = 2 * PHRASE_BARS
_TENSE_FROM = 6
"""Bar of each period of eight from which the tension is at its peak."""
_LONG_BARS = 16
"""In sections of this length, the peaks of the second half start one bar earlier."""

_HARSH = frozenset({1, 11})
"""Differences of pitch classes that can sound as a semitone or a minor ninth."""


def loop_of(random_seed: int, style: str, mode: str, place: str, letter: str) -> Loop:
    """Returns the loop of the theme `letter`; the first four letters of a `place` have different loops."""
    loops = LOOPS[style][mode]
    first = int(generator(random_seed, "loop", style, place).random() * len(loops))
    return loops[(first + ord(letter) - ord("A")) % len(loops)]


def tense(number: int, bars: int) -> bool:
    """Returns whether bar `number` of a section of `bars` is at the peak of its tension.

    Tension grows towards the end of each period of eight bars, and earlier in the second half of a long
    section; peaks take at most 35 % of the bars.
    """
    late = bars >= _LONG_BARS and number >= bars / 2
    return number % _PERIOD >= _TENSE_FROM - late


def coloured(
    chance: np.random.Generator, symbol: str, key: Key, marks: Sequence[str], at_peak: bool
) -> Chord:
    """Returns the chord with one of the marks, another of them if that does not fit, or plain.

    A mark does not fit if it blurs whether the key is major or minor, or if it is harsh without `at_peak`.
    """
    if len(symbol) > 1:
        return Chord.parse(symbol, key)
    other_third = (key.tonic + 7 - MODES[key.mode][2]) % 12
    for mark in (pick(chance, marks), *marks):
        marked = Chord.parse(symbol + mark, key)
        if other_third not in marked.notes and (at_peak or not harsh(marked)):
            return marked
    return Chord.parse(symbol, key)


def harsh(chord: Chord) -> bool:
    """Returns whether two notes of the chord are a semitone apart in some octave."""
    return any((one - other) % 12 in _HARSH for one in chord.notes for other in chord.notes)


def clashes(pitch: int, chord: Chord) -> bool:
    """Returns whether `pitch` is a semitone from a note of the chord in some octave, without being one."""
    return pitch % 12 not in chord.notes and any((pitch - note) % 12 in _HARSH for note in chord.notes)


def pivot(old: Key, new: Key) -> Chord:
    """Returns a triad that both keys share, preferably one that prepares the new key's dominant."""
    in_old = {frozenset(Chord.parse(str(degree), old).notes) for degree in range(1, 8)}
    for symbol in ("4", "2", "6", "1", "3", "5", "7"):
        chord = Chord.parse(symbol, new)
        if frozenset(chord.notes) in in_old:
            return chord
    return Chord.parse("1", old)
