"""tinysoundfont (MIT): a small synthesiser from PyPI that replaces libfluidsynth."""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tinysoundfont

from etbgm_riffusion.composer.sound.synth import Cast, Parts
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL

_GAIN_DB = 0.0
_DRUMS_BANK = 128
_EXPRESSION, _SUSTAIN = 11, 64
_SUSTAIN_DOWN = 64
"""Minimum value of a pressed pedal in the MIDI standard."""

_FLUSH = 8192
"""Samples after which silenced notes have faded out."""


class TinySynth:
    """Creates players for one SoundFont, which stays in memory: about 290 MB for FluidR3.

    Only one player exists at a time; other callers wait.
    """

    name = "tinysoundfont"
    notes: tuple[str, ...] = (
        "The music has no reverb: tinysoundfont played it, because libfluidsynth is not installed.",
    )
    splits = False

    def __init__(self, soundfont: Path) -> None:
        self._soundfont = soundfont
        self._sounds: dict[int, tuple[tinysoundfont.Synth, int]] = {}
        self._in_use = threading.Lock()

    def player(self, casts: Sequence[Cast], sample_rate_hz: int) -> "TinyPlayer":
        """Returns a silent player for a single cast. The caller must close it."""
        (voices,) = casts
        self._in_use.acquire()
        if sample_rate_hz not in self._sounds:
            synth = tinysoundfont.Synth(gain=_GAIN_DB, samplerate=sample_rate_hz)
            self._sounds = {sample_rate_hz: (synth, synth.sfload(str(self._soundfont)))}
        return TinyPlayer(*self._sounds[sample_rate_hz], voices, self._in_use)


class TinyPlayer:
    """Resets tinysoundfont by silencing it, because it keeps only controllers between notes.

    tinysoundfont has no sustain pedal: here, the pedal delays the notes' ends.
    """

    def __init__(self, synth: tinysoundfont.Synth, sounds: int, voices: Cast, in_use: threading.Lock) -> None:
        self._synth, self._in_use = synth, in_use
        self._pedals: set[int] = set()
        self._sustained: set[tuple[int, int]] = set()
        synth.sounds_off()
        synth.generate(_FLUSH)
        for voice in voices:
            drums = voice.channel == DRUMS_CHANNEL
            synth.program_select(voice.channel, sounds, _DRUMS_BANK if drums else 0, voice.programme, drums)
            for controller, value in ((7, voice.volume), (10, voice.pan), (_EXPRESSION, 127)):
                self.control(voice.channel, controller, value)

    def note_on(self, channel: int, pitch: int, velocity: int) -> None:
        """Strikes a note now."""
        if (channel, pitch) in self._sustained:
            self._release(channel, pitch)
        self._synth.noteon(channel, pitch, velocity)

    def note_off(self, channel: int, pitch: int) -> None:
        """Releases a note now, or when its pedal is released."""
        if channel in self._pedals:
            self._sustained.add((channel, pitch))
        else:
            self._release(channel, pitch)

    def control(self, channel: int, controller: int, value: int) -> None:
        """Sets a MIDI controller now."""
        if controller != _SUSTAIN:
            self._synth.control_change(channel, controller, value)
        elif value >= _SUSTAIN_DOWN:
            self._pedals.add(channel)
        else:
            self._pedals.discard(channel)
            for held in sorted(note for note in self._sustained if note[0] == channel):
                self._release(*held)

    def _release(self, channel: int, pitch: int) -> None:
        self._sustained.discard((channel, pitch))
        self._synth.noteoff(channel, pitch)

    def render(self, parts: Parts) -> None:
        """Fills the single part in `parts` with the sound of the next samples."""
        parts[0] = np.frombuffer(self._synth.generate(parts.shape[1]), np.float32).reshape(-1, 2)

    def close(self) -> None:
        """Passes the synthesiser to the next player."""
        self._in_use.release()
