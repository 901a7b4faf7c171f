"""What a synthesiser does, and which one is used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.composer.score import Voice

Parts = NDArray[np.float32]
"""Sounds of one length, (parts, samples, 2) float32."""

Cast = Sequence[Voice]
"""Voices that are heard together."""

SOUNDFONTS = (
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/soundfonts/FluidR3_GM.sf2"),
    Path("/usr/share/sounds/sf2/default-GM.sf2"),
)
"""Where Debian, Fedora and Arch install General MIDI SoundFonts."""

MISSING = (
    "the composer needs a synthesiser and a SoundFont: install the Debian packages "
    "libfluidsynth3 and fluid-soundfont-gm (or set ETBGM_SOUNDFONT to a General MIDI .sf2 file)"
)


class Player(Protocol):
    """A synthesiser in its first state, with the voices' programmes set; it plays one or several casts."""

    def note_on(self, channel: int, pitch: int, velocity: int) -> None:
        """Strikes a note now."""

    def note_off(self, channel: int, pitch: int) -> None:
        """Releases a note now."""

    def control(self, channel: int, controller: int, value: int) -> None:
        """Sets a MIDI controller now."""

    def render(self, parts: Parts) -> None:
        """Fills `parts`, one for each cast, with the sound of the next samples."""

    def close(self) -> None:
        """Frees it."""


class Synth(Protocol):
    """Makes players: one per rendering unit, since only a fresh one is bit-identical."""

    name: str
    notes: tuple[str, ...]
    """Sentences for the user about this synthesiser."""
    splits: bool
    """Whether one player can play several casts and keep them apart."""

    def player(self, casts: Sequence[Cast], sample_rate_hz: int) -> Player:
        """A fresh player for `casts`; several only where `splits` is true."""


def find_soundfont(named: Path | None) -> Path:
    """The SoundFont at `named`, or the first installed one. RuntimeError when there is none."""
    for path in (named,) if named else SOUNDFONTS:
        if path.is_file():
            return path
    raise RuntimeError(f"no SoundFont at {named}: {MISSING}" if named else MISSING)


def find_synth(soundfont: Path) -> Synth:
    """libfluidsynth, or tinysoundfont in its place. RuntimeError when neither is there."""
    from etbgm_riffusion.composer.fluidsynth import FluidSynth

    try:
        return FluidSynth(soundfont)
    except OSError:
        pass
    try:
        from etbgm_riffusion.composer.tiny import TinySynth
    except ImportError:
        raise RuntimeError(MISSING) from None
    return TinySynth(soundfont)
