"""tinysoundfont (MIT): a small synthesiser from PyPI in libfluidsynth's place."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tinysoundfont

from etbgm_riffusion.composer.score import Voice
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL
from etbgm_riffusion.types import Stereo

_GAIN_DB = 0.0
_DRUMS_BANK = 128
_FLUSH = 8192
"""Samples in which silenced notes have faded out."""


class TinySynth:
    """Makes players for one SoundFont, which is held in memory: about 290 MB for FluidR3.

    Only one player exists at a time; another caller waits.
    """

    name = "tinysoundfont"
    notes: tuple[str, ...] = (
        "libfluidsynth is not installed; tinysoundfont played the music, without reverb.",
    )

    def __init__(self, soundfont: Path) -> None:
        self._soundfont = soundfont
        self._sounds: dict[int, tuple[tinysoundfont.Synth, int]] = {}
        self._in_use = threading.Lock()

    def player(self, voices: Sequence[Voice], sample_rate_hz: int) -> "TinyPlayer":
        """A silent player with the voices' programmes. It must be closed."""
        self._in_use.acquire()
        if sample_rate_hz not in self._sounds:
            synth = tinysoundfont.Synth(gain=_GAIN_DB, samplerate=sample_rate_hz)
            self._sounds = {sample_rate_hz: (synth, synth.sfload(str(self._soundfont)))}
        return TinyPlayer(*self._sounds[sample_rate_hz], voices, self._in_use)


class TinyPlayer:
    """tinysoundfont keeps no state between notes, so silence makes it fresh."""

    def __init__(
        self, synth: tinysoundfont.Synth, sounds: int, voices: Sequence[Voice], in_use: threading.Lock
    ) -> None:
        self._synth, self._in_use = synth, in_use
        synth.sounds_off()
        synth.generate(_FLUSH)
        for voice in voices:
            drums = voice.channel == DRUMS_CHANNEL
            synth.program_select(voice.channel, sounds, _DRUMS_BANK if drums else 0, voice.programme, drums)
            for control, value in ((7, voice.volume), (10, voice.pan)):
                synth.control_change(voice.channel, control, value)

    def note_on(self, channel: int, pitch: int, velocity: int) -> None:
        """Strikes a note now."""
        self._synth.noteon(channel, pitch, velocity)

    def note_off(self, channel: int, pitch: int) -> None:
        """Releases a note now."""
        self._synth.noteoff(channel, pitch)

    def render(self, block: Stereo) -> None:
        """Fills `block` with the sound of the next samples."""
        block[:] = np.frombuffer(self._synth.generate(len(block)), np.float32).reshape(-1, 2)

    def close(self) -> None:
        """Hands the synthesiser to the next player."""
        self._in_use.release()
