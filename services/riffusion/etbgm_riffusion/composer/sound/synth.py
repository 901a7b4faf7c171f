"""The interface of a synthesiser."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.score import Voice

Parts = NDArray[np.float32]
"""Sounds of the same length, (parts, samples, 2) float32."""

Cast = Sequence[Voice]
"""Voices that sound together."""


class Player(Protocol):
    """A synthesiser in its initial state, with the voices' programmes set; it plays one or more casts."""

    def note_on(self, channel: int, pitch: int, velocity: int) -> None:
        """Strikes a note now."""

    def note_off(self, channel: int, pitch: int) -> None:
        """Releases a note now."""

    def control(self, channel: int, controller: int, value: int) -> None:
        """Sets a MIDI controller now."""

    def render(self, parts: Parts) -> None:
        """Fills `parts`, one for each cast, with the sound of the next samples."""

    def close(self) -> None:
        """Frees the player."""


class Synth(Protocol):
    """Creates players: one per rendering unit, since only a new one is bit-identical."""

    name: str
    notes: tuple[str, ...]
    """Sentences for the user about this synthesiser."""
    splits: bool
    """Whether one player can play several casts and keep them separate."""

    def player(self, casts: Sequence[Cast], sample_rate_hz: int) -> Player:
        """Returns a new player for `casts`; several are allowed only if `splits` is true."""
