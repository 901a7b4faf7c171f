"""libfluidsynth (LGPL 2.1, linked at run time) through ctypes.

Functions and settings: https://www.fluidsynth.org/api/ (2.x).
"""

import ctypes
import ctypes.util
from collections.abc import Sequence
from ctypes import c_char_p, c_double, c_int, c_void_p
from pathlib import Path

from etbgm_riffusion.composer.score import Voice
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL
from etbgm_riffusion.types import Stereo

_LIBRARIES = ("libfluidsynth.so.3", "libfluidsynth.so.2")
_SIGNATURES = {
    "fluid_version_str": (c_char_p,),
    "fluid_set_log_function": (c_void_p, c_int, c_void_p, c_void_p),
    "new_fluid_settings": (c_void_p,),
    "delete_fluid_settings": (None, c_void_p),
    "fluid_settings_setint": (c_int, c_void_p, c_char_p, c_int),
    "fluid_settings_setnum": (c_int, c_void_p, c_char_p, c_double),
    "new_fluid_synth": (c_void_p, c_void_p),
    "delete_fluid_synth": (None, c_void_p),
    "fluid_synth_sfload": (c_int, c_void_p, c_char_p, c_int),
    "fluid_synth_program_select": (c_int, c_void_p, c_int, c_int, c_int, c_int),
    "fluid_synth_cc": (c_int, c_void_p, c_int, c_int, c_int),
    "fluid_synth_noteon": (c_int, c_void_p, c_int, c_int, c_int),
    "fluid_synth_noteoff": (c_int, c_void_p, c_int, c_int),
    "fluid_synth_write_float": (
        c_int, c_void_p, c_int, c_void_p, c_int, c_int, c_void_p, c_int, c_int,
    ),
}  # fmt: skip
"""Result type, then argument types."""

_WHOLE = {
    "synth.dynamic-sample-loading": 1,  # a start in 0.03 s: only the programmes used are read
    "synth.threadsafe-api": 0,  # each player stays in one thread
    "synth.chorus.active": 0,
    "synth.polyphony": 192,
}
_REAL = {
    "synth.gain": 0.8,
    "synth.reverb.room-size": 0.55,
    "synth.reverb.damp": 0.4,
    "synth.reverb.width": 0.8,
    "synth.reverb.level": 0.5,
}
_LOG_LEVELS = 5
_DRUMS_BANK = 128


class FluidSynth:
    """Makes libfluidsynth players for one SoundFont."""

    notes: tuple[str, ...] = ()

    def __init__(self, soundfont: Path) -> None:
        """Loads the library. Raises OSError when it is not installed."""
        self._library = _load()
        self._soundfont = soundfont
        self.name = f"fluidsynth-{self._library.fluid_version_str().decode()}"

    def player(self, voices: Sequence[Voice], sample_rate_hz: int) -> "FluidPlayer":
        """A fresh synthesiser with the voices' programmes. OSError when the SoundFont is broken."""
        return FluidPlayer(self._library, self._soundfont, voices, sample_rate_hz)


class FluidPlayer:
    """One libfluidsynth synthesiser."""

    def __init__(
        self, library: ctypes.CDLL, soundfont: Path, voices: Sequence[Voice], sample_rate_hz: int
    ) -> None:
        self._library = library
        self._settings = library.new_fluid_settings()
        for name, value in _WHOLE.items():
            library.fluid_settings_setint(self._settings, name.encode(), value)
        for name, number in {**_REAL, "synth.sample-rate": float(sample_rate_hz)}.items():
            library.fluid_settings_setnum(self._settings, name.encode(), number)
        self._synth = library.new_fluid_synth(self._settings)
        sounds = library.fluid_synth_sfload(self._synth, str(soundfont).encode(), 0)
        if sounds < 0:
            self.close()
            raise OSError(f"{soundfont} is not a SoundFont")
        for voice in voices:
            self._set_up(voice, sounds)

    def _set_up(self, voice: Voice, sounds: int) -> None:
        bank = _DRUMS_BANK if voice.channel == DRUMS_CHANNEL else 0
        self._library.fluid_synth_program_select(self._synth, voice.channel, sounds, bank, voice.programme)
        for control, value in ((7, voice.volume), (10, voice.pan), (91, voice.reverb)):
            self._library.fluid_synth_cc(self._synth, voice.channel, control, value)

    def note_on(self, channel: int, pitch: int, velocity: int) -> None:
        """Strikes a note now."""
        self._library.fluid_synth_noteon(self._synth, channel, pitch, velocity)

    def note_off(self, channel: int, pitch: int) -> None:
        """Releases a note now."""
        self._library.fluid_synth_noteoff(self._synth, channel, pitch)

    def render(self, block: Stereo) -> None:
        """Fills `block`, C-contiguous, with the sound of the next samples."""
        address = block.ctypes.data
        self._library.fluid_synth_write_float(self._synth, len(block), address, 0, 2, address, 1, 2)

    def close(self) -> None:
        """Frees the synthesiser."""
        self._library.delete_fluid_synth(self._synth)
        self._library.delete_fluid_settings(self._settings)


def _load() -> ctypes.CDLL:
    found = ctypes.util.find_library("fluidsynth")
    for name in (*_LIBRARIES, *([found] if found else [])):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        for function, (result, *arguments) in _SIGNATURES.items():
            getattr(library, function).restype = result
            getattr(library, function).argtypes = arguments
        for level in range(_LOG_LEVELS):
            library.fluid_set_log_function(level, None, None)
        return library
    raise OSError("libfluidsynth is not installed")
