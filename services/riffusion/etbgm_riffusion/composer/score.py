"""The written music: sections, bars, voices and notes. Times are seconds of the piece."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.profiles import Means
from etbgm_riffusion.composer.theory import Chord, Key


@dataclass(frozen=True, slots=True)
class PlannedSection:
    """A part of the piece with one emotion, key and tempo; `bars` lists the beats of each bar, in order."""

    span: Span
    emotion: Emotion
    mood: Means
    key: Key
    bars: tuple[float, ...]
    beat_s: float
    """Seconds per quarter note, until the tempo changes."""
    end_beat_s: float
    """Seconds per quarter note at the section's end."""
    changing_bars: int
    """Bars at the end over which the tempo changes."""
    beats_s: tuple[float, ...] = ()
    """Seconds per beat at start and end of each bar up to the changing ones, if the tempo meets cuts."""

    @property
    def first_beat_s(self) -> float:
        """Seconds per quarter note at its beginning."""
        return self.beats_s[0] if self.beats_s else self.beat_s

    @property
    def tempo_bpm(self) -> float:
        """Quarter notes per minute, on average before the tempo changes."""
        return 60 / self.beat_s


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the plan."""

    start_s: float
    beats: float
    beat_s: float
    """Seconds per beat at its start."""
    end_beat_s: float
    """Seconds per beat at its end: different if the tempo changes, which it does evenly over the bar."""
    phrase: str
    """Name of its phrase in the form; phrases of the same name are reprises of each other."""
    section: int
    """Index of its section."""
    number: int
    """Index within the section."""
    remaining: int
    """Bars that follow in the section."""
    chord: Chord
    tense: bool
    """True at a peak of tension, where harsh intervals may sound."""
    voicing: tuple[int, ...]
    """The bass pitch, then the pitches of the upper voices, from low to high."""

    @property
    def end_s(self) -> float:
        """Time at which the next bar starts."""
        return self.time_s(self.beats)

    def time_s(self, beat: float) -> float:
        """Returns the time of `beat`: the integral of the beat's length, which changes linearly."""
        change_s = (self.end_beat_s - self.beat_s) / self.beats
        return self.start_s + beat * (self.beat_s + change_s * beat / 2)

    def beat_at(self, time_s: float) -> float:
        """Returns the beat at `time_s`: the inverse of the method `time_s`, for times inside the bar."""
        change_s = (self.end_beat_s - self.beat_s) / self.beats
        passed_s = time_s - self.start_s
        root = math.sqrt(max(0.0, self.beat_s**2 + 2 * change_s * passed_s))
        return 2 * passed_s / (self.beat_s + root)


class Event(NamedTuple):
    """A note inside a bar: its onset `beat` and its `length`, both in beats."""

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


class Control(NamedTuple):
    """A change of a MIDI controller: 7 volume, 10 pan, 11 expression, 64 sustain; value 0 to 127."""

    time_s: float
    channel: int
    controller: int
    value: int


@dataclass(frozen=True, slots=True)
class Voice:
    """A part on a MIDI channel: General MIDI programme; volume and reverb 0 to 127; pan 64 in the middle.

    Voices of one `role` ("lead", "bass" …) form one stem; `name` also contains the colour.
    """

    name: str
    role: str
    channel: int
    programme: int
    volume: int
    pan: int
    reverb: int


@dataclass(frozen=True, slots=True)
class Score:
    """A whole piece; `notes` and `controls` are ordered by time.

    `speech` lists the spans in which the music steps back for speech.
    """

    duration_s: float
    style: str
    sections: tuple[PlannedSection, ...]
    bars: tuple[Bar, ...]
    voices: tuple[Voice, ...]
    notes: tuple[Note, ...]
    controls: tuple[Control, ...]
    speech: tuple[Span, ...]
