"""Modes, chords and pitches. Pitches are MIDI numbers (60 is C4), pitch classes 0 (C) to 11 (B)."""

from collections.abc import Iterable
from dataclasses import dataclass

MODES: dict[str, tuple[int, ...]] = {
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
}
"""The church modes in semitones above the tonic, from the brightest to the darkest."""

_PARENT = {"ionian": 0, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7, "aeolian": 9}
"""Semitones from the tonic of the major scale with the same notes to the mode's tonic."""

_PERFECT_FOURTH = 5

_FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_SHARP_MAJORS = {0, 7, 2, 9, 4, 11}


@dataclass(frozen=True, slots=True)
class Key:
    """A tonic (pitch class) and a mode of MODES."""

    tonic: int
    mode: str

    @staticmethod
    def relative(major_tonic: int, mode: str) -> "Key":
        """Returns the key in `mode` that shares all notes with the major key of `major_tonic`."""
        return Key((major_tonic + _PARENT[mode]) % 12, mode)

    @property
    def major_tonic(self) -> int:
        """Tonic of the major key with the same notes; it decides the key signature."""
        return (self.tonic - _PARENT[self.mode]) % 12

    @property
    def signature(self) -> str:
        """Name of the major key with the same notes, for example "Eb"."""
        return _spell(self.major_tonic, self.major_tonic)

    def __str__(self) -> str:
        return f"{_spell(self.tonic, self.major_tonic)} {self.mode}"

    def pitch(self, step: int) -> int:
        """Returns the pitch `step` scale steps above the tonic in the octave from C4 to B4."""
        octave, degree = divmod(step, 7)
        return 60 + self.tonic + 12 * octave + MODES[self.mode][degree]


@dataclass(frozen=True, slots=True)
class Chord:
    """Pitch classes, root first."""

    notes: tuple[int, ...]

    @property
    def root(self) -> int:
        """Pitch class of the root."""
        return self.notes[0]

    @property
    def fifth(self) -> int:
        """Pitch class of the fifth."""
        return self.notes[2]

    @staticmethod
    def parse(symbol: str, key: Key) -> "Chord":
        """Returns the chord on a degree of `key`, given in the musicians' number notation.

        A digit names the degree; the mode determines the quality. Marks may follow: "s" replaces the
        third with the mode's fourth if that is perfect, "M" makes the third major in any mode, "o" makes
        the fifth diminished, "4", "7" and "9" add the fourth, seventh and ninth, "t" adds the tritone above
        the root, and "b" the semitone above it.
        """
        degree = int(symbol[0]) - 1
        root, third, fifth, seventh, ninth = (key.pitch(degree + step) for step in (0, 2, 4, 6, 8))
        fourth = key.pitch(degree + 3)
        if "s" in symbol and fourth == root + _PERFECT_FOURTH:
            third = fourth
        if "M" in symbol:
            third = root + 4
        if "o" in symbol:
            fifth = root + 6
        extras = {"4": fourth, "7": seventh, "9": ninth, "t": root + 6, "b": root + 1}
        notes = (root, third, fifth, *(extras[mark] for mark in symbol[1:] if mark in extras))
        return Chord(tuple(note % 12 for note in notes))


def nearest(pitch: int, pitch_classes: Iterable[int]) -> int:
    """Returns the pitch that is nearest to `pitch` and in `pitch_classes`; the lower of two."""
    return min((pitch + (pc - pitch + 5) % 12 - 5 for pc in pitch_classes), key=lambda p: (abs(p - pitch), p))


def _spell(pitch_class: int, major_tonic: int) -> str:
    return (_SHARP_NAMES if major_tonic in _SHARP_MAJORS else _FLAT_NAMES)[pitch_class]
