"""The context of a voice when it writes a bar."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from etbgm_riffusion.composer.harmony import clashes
from etbgm_riffusion.composer.motif import Motif
from etbgm_riffusion.composer.profiles import Means, Profile
from etbgm_riffusion.composer.score import Bar, Event, PlannedSection
from etbgm_riffusion.composer.styles import Style
from etbgm_riffusion.composer.theory import MODES


@dataclass(frozen=True, slots=True)
class Part:
    """The context of a voice in one bar."""

    section: PlannedSection
    profile: Profile
    style: Style
    motif: Motif
    random_seed: int
    figure: str
    """The accompaniment's figure for this emotion in this piece."""
    variant: int
    """0, 1 … 3: the form of its figure that a voice plays in this phrase."""
    following: Bar | None
    last: int | None
    """The pitch that this voice played last."""
    closing: bool
    """True in the last bar of the piece, where all voices hold the tonic chord."""
    answering: bool
    """True if the piece has speech, but most of this bar is in a pause."""
    stinger: bool
    """True in the first bar after a sudden rise of arousal."""
    chance: np.random.Generator
    """The voice's own generator for this bar."""

    @property
    def mood(self) -> Means:
        """The section's musical means."""
        return self.section.mood

    @property
    def velocity(self) -> int:
        """Mean MIDI velocity in this section."""
        return round(self.mood.velocity)

    @property
    def scale(self) -> list[int]:
        """Pitch classes of the section's key."""
        key = self.section.key
        return [(key.tonic + interval) % 12 for interval in MODES[key.mode]]

    def fitting(self, bar: Bar) -> list[int]:
        """Returns the pitch classes of the scale that do not clash with the chord; all of them at a peak."""
        return self.scale if bar.tense else [note for note in self.scale if not clashes(note, bar.chord)]


VoiceWriter = Callable[[Bar, Part], list[Event]]


def onsets(beats: float, step: float) -> list[float]:
    """Returns 0, step, 2 step … below `beats`."""
    return [index * step for index in range(max(1, int(beats / step + 1e-6)))]
