"""The written music: sections, bars, voices and notes. Times are seconds of the piece."""

from dataclasses import dataclass
from typing import NamedTuple

from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.theory import Chord, Key


@dataclass(frozen=True, slots=True)
class PlannedSection:
    """A stretch with one emotion, key and tempo; `bars` are their beats, in order."""

    span: Span
    emotion: Emotion
    intensity: float
    key: Key
    bars: tuple[float, ...]

    @property
    def beat_s(self) -> float:
        """Seconds of a quarter note."""
        return self.span.duration_s / sum(self.bars)

    @property
    def tempo_bpm(self) -> float:
        """Quarter notes per minute."""
        return 60 / self.beat_s


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the plan."""

    start_s: float
    beats: float
    beat_s: float
    section: int
    """Index of its section."""
    number: int
    """Index within the section."""
    remaining: int
    """Bars that follow in the section."""
    chord: Chord
    voicing: tuple[int, ...]
    """The chord's pitches, from low to high."""

    @property
    def end_s(self) -> float:
        """Where the next bar starts."""
        return self.start_s + self.beats * self.beat_s


class Event(NamedTuple):
    """A note inside a bar: `beat` from its start and `length` in beats."""

    beat: float
    length: float
    pitch: int
    velocity: int


class Note(NamedTuple):
    """A note of the score, [start_s, end_s)."""

    start_s: float
    end_s: float
    channel: int
    pitch: int
    velocity: int


@dataclass(frozen=True, slots=True)
class Voice:
    """A part on a MIDI channel: a General MIDI programme, volume and reverb 0 to 127, pan 64 the middle."""

    name: str
    channel: int
    programme: int
    volume: int
    pan: int
    reverb: int


@dataclass(frozen=True, slots=True)
class Score:
    """A whole piece; `notes` are ordered by start."""

    duration_s: float
    style: str
    sections: tuple[PlannedSection, ...]
    bars: tuple[Bar, ...]
    voices: tuple[Voice, ...]
    notes: tuple[Note, ...]
