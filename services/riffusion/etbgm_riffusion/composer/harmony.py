"""Functional harmony: selects the chords of a four-bar phrase.

A phrase is a sequence of functions (tonic, subdominant, dominant: Riemann 1893), filled with chords of
the mode. The first phrase of a period ends open on the dominant, the second closes on the tonic (Caplin
1998, "Classical Form", ch. 3–4: antecedent and consequent). The degrees that represent a function in the
church modes follow their common use in film and popular music (Tagg 2014, "Everyday Tonality", ch. 9–11).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from etbgm_riffusion.composer.chance import pick
from etbgm_riffusion.composer.theory import MODES, Chord, Key

PHRASE_BARS = 4


class Functions(NamedTuple):
    """Chords of one mode, in number notation; more frequent ones are listed more than once."""

    tonic: tuple[str, ...]
    subdominant: tuple[str, ...]
    dominant: tuple[str, ...]


VOCABULARY: dict[str, Functions] = {
    "lydian": Functions(("1",), ("2", "2", "5"), ("5", "2")),
    "ionian": Functions(("1", "1", "1", "6"), ("4", "4", "2", "6"), ("5", "5", "3")),
    "mixolydian": Functions(("1", "1", "1", "4"), ("4", "4", "2"), ("7", "5M", "7")),
    "dorian": Functions(("1", "1", "1", "3"), ("4", "4", "2"), ("5", "5", "7")),
    "aeolian": Functions(("1", "1", "1", "6"), ("4", "6", "6"), ("5", "5M", "7")),
    "phrygian": Functions(("1", "1", "1", "6"), ("2", "4", "4"), ("5M", "2", "7")),
}

OPEN = ("TSTD", "TTSD", "TDTD", "TSSD", "TDSD")
CLOSED = ("TSDT", "TDTT", "SSDT", "TTDT", "STDT")
_BY_LETTER = {"T": "tonic", "S": "subdominant", "D": "dominant"}


def phrase_symbols(
    chance: np.random.Generator, mode: str, closed: bool, colouring: Sequence[str], bars_per_chord: int
) -> tuple[str, ...]:
    """Returns the chord symbols of four bars, in number notation with colouring marks."""
    functions = pick(chance, CLOSED if closed else OPEN)
    symbols: list[str] = []
    for place, letter in enumerate(functions):
        last = place == PHRASE_BARS - 1
        if place % bars_per_chord and not last:
            symbols.append(symbols[-1])
        elif last and closed:
            symbols.append(_coloured(chance, "1", mode, colouring))
        else:
            symbols.append(
                _coloured(chance, _degree(chance, mode, letter, first=place == 0), mode, colouring)
            )
    return tuple(symbols)


def varied(
    chance: np.random.Generator, symbols: tuple[str, ...], mode: str, colouring: Sequence[str]
) -> tuple[str, ...]:
    """Returns the phrase with one of its inner chords replaced by another chord of the mode."""
    place = 1 + int(chance.random() * (len(symbols) - 2))
    letter = pick(chance, "SDT")
    other = _coloured(chance, _degree(chance, mode, letter, first=False), mode, colouring)
    return (*symbols[:place], other, *symbols[place + 1 :])


def pivot(old: Key, new: Key) -> Chord:
    """Returns a triad that both keys share, preferably one that prepares the new key's dominant."""
    in_old = {frozenset(Chord.parse(str(degree), old).notes) for degree in range(1, 8)}
    for symbol in ("4", "2", "6", "1", "3", "5", "7"):
        chord = Chord.parse(symbol, new)
        if frozenset(chord.notes) in in_old:
            return chord
    return Chord.parse("1", old)


def _degree(chance: np.random.Generator, mode: str, letter: str, first: bool) -> str:
    if first and letter == "T":
        return "1"
    symbols: tuple[str, ...] = getattr(VOCABULARY[mode], _BY_LETTER[letter])
    return pick(chance, symbols)


def _coloured(chance: np.random.Generator, symbol: str, mode: str, colouring: Sequence[str]) -> str:
    """Returns the chord with one of the marks, unless that blurs whether the key is major or minor."""
    marked = symbol + pick(chance, colouring)
    third = MODES[mode][2]
    other_third = 7 - third
    blurs = other_third in Chord.parse(marked, Key(0, mode)).notes
    return symbol if len(symbol) > 1 or blurs else marked
