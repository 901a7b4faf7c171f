"""What every voice knows when it writes a bar."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from etbgm_riffusion.composer.motif import Motif
from etbgm_riffusion.composer.profiles import Profile
from etbgm_riffusion.composer.score import Bar, Event, PlannedSection
from etbgm_riffusion.composer.styles import Style

_VELOCITY_PER_INTENSITY = 16


@dataclass(frozen=True, slots=True)
class Part:
    """A voice's surroundings in one bar; `chance` is its own generator for this bar."""

    section: PlannedSection
    profile: Profile
    style: Style
    motif: Motif
    random_seed: int
    figure: str
    closing: bool
    """True in the last bar of the piece, where all voices hold the tonic chord."""
    chance: np.random.Generator

    @property
    def velocity(self) -> int:
        """Mean MIDI velocity in this section."""
        return round(self.profile.velocity + _VELOCITY_PER_INTENSITY * (self.section.intensity - 0.5))


VoiceWriter = Callable[[Bar, Part], list[Event]]


def onsets(beats: float, step: float) -> list[float]:
    """0, step, 2 step … below `beats`."""
    return [index * step for index in range(max(1, int(beats / step + 1e-6)))]
