"""libfluidsynth (LGPL 2.1, linked at run time) through ctypes.

Functions and settings: https://www.fluidsynth.org/api/ (2.x).
"""

import ctypes
import ctypes.util
import itertools
from collections import Counter
from collections.abc import Sequence
from ctypes import c_char_p, c_double, c_float, c_int, c_void_p
from pathlib import Path

import numpy as np

from etbgm_riffusion.composer.score import Voice
from etbgm_riffusion.composer.sound.synth import Cast, Parts
from etbgm_riffusion.composer.sound.touch import Touch, touch_of
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL

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
    "fluid_synth_get_voicelist": (None, c_void_p, c_void_p, c_int, c_int),
    "fluid_synth_get_active_voice_count": (c_int, c_void_p),
    "fluid_voice_gen_get": (c_float, c_void_p, c_int),
    "fluid_voice_gen_incr": (None, c_void_p, c_int, c_float),
    "fluid_voice_update_param": (None, c_void_p, c_int),
    "fluid_synth_write_float": (
        c_int, c_void_p, c_int, c_void_p, c_int, c_int, c_void_p, c_int, c_int,
    ),
    "fluid_synth_process": (c_int, c_void_p, c_int, c_int, c_void_p, c_int, c_void_p),
}  # fmt: skip
"""Result type, then argument types."""

_WHOLE = {
    "synth.dynamic-sample-loading": 1,  # starts in 0.03 s: only the programmes in use are read
    "synth.threadsafe-api": 0,  # each player stays in one thread
    "synth.chorus.active": 0,
    "synth.polyphony": 256,  # at most 157 simultaneous voices were observed
}
_REAL = {
    "synth.gain": 2.0,
    "synth.reverb.room-size": 0.55,
    "synth.reverb.damp": 0.4,
    "synth.reverb.width": 0.8,
    "synth.reverb.level": 0.5,
}
_OUTPUTS = ("synth.audio-channels", "synth.audio-groups", "synth.effects-groups")
"""Numbers of stereo outputs: MIDI channel n, and its reverb, go to output n modulo this number."""

_FILTER_CUTOFF, _FINE_TUNE = 8, 52
"""Generators of SoundFont 2.04, 8.1.3, in cents."""

_SOUNDS_PER_NOTE = 16
"""More than a preset of FluidR3 layers."""

_LOG_LEVELS = 5
_DRUMS_BANK = 128
_MIDI_CHANNELS = 16


class FluidSynth:
    """Makes libfluidsynth players for one SoundFont."""

    notes: tuple[str, ...] = ()
    splits = True

    def __init__(self, soundfont: Path) -> None:
        """Loads the library. Raises OSError when it is not installed."""
        self._library = _load()
        self._soundfont = soundfont
        self.name = f"fluidsynth-{self._library.fluid_version_str().decode()}"

    def player(self, casts: Sequence[Cast], sample_rate_hz: int) -> "FluidPlayer":
        """Returns a new synthesiser for `casts`. Raises OSError if the SoundFont is broken."""
        return FluidPlayer(self._library, self._soundfont, casts, sample_rate_hz)


class FluidPlayer:
    """One libfluidsynth synthesiser.

    It plays several casts at once rather than one after the other. A note starts from the amplitude that
    the previous note in its place left (seen in 2.3.1), so a cast sounds slightly different when it plays
    alone: up to -28 dBFS for one block of 64 samples.
    """

    def __init__(
        self, library: ctypes.CDLL, soundfont: Path, casts: Sequence[Cast], sample_rate_hz: int
    ) -> None:
        self._library = library
        self._channels = {
            voice.channel: output + place * len(casts)
            for output, cast in enumerate(casts)
            for place, voice in enumerate(cast)
        }
        self._settings = library.new_fluid_settings()
        outputs = dict.fromkeys(_OUTPUTS, len(casts)) | {"synth.midi-channels": _MIDI_CHANNELS * len(casts)}
        for name, value in (_WHOLE | outputs).items():
            library.fluid_settings_setint(self._settings, name.encode(), value)
        for name, number in {**_REAL, "synth.sample-rate": float(sample_rate_hz)}.items():
            library.fluid_settings_setnum(self._settings, name.encode(), number)
        self._synth = library.new_fluid_synth(self._settings)
        sounds = library.fluid_synth_sfload(self._synth, str(soundfont).encode(), 0)
        if sounds < 0:
            self.close()
            raise OSError(f"{soundfont} is not a SoundFont")
        self._found = (c_void_p * _SOUNDS_PER_NOTE)()
        self._struck = 0
        self._strikes: Counter[tuple[int, int]] = Counter()
        for voice in itertools.chain.from_iterable(casts):
            self._set_up(voice, sounds)

    def _set_up(self, voice: Voice, sounds: int) -> None:
        bank = _DRUMS_BANK if voice.channel == DRUMS_CHANNEL else 0
        channel = self._channels[voice.channel]
        self._library.fluid_synth_program_select(self._synth, channel, sounds, bank, voice.programme)
        for controller, value in ((7, voice.volume), (10, voice.pan), (91, voice.reverb)):
            self.control(voice.channel, controller, value)

    def note_on(self, channel: int, pitch: int, velocity: int) -> None:
        """Strikes a note now, a little different from the one before."""
        if self._library.fluid_synth_noteon(self._synth, self._channels[channel], pitch, velocity) == 0:
            self._vary(touch_of(channel, pitch, velocity, self._strikes[channel, pitch]))
            self._strikes[channel, pitch] += 1

    def _vary(self, touch: Touch) -> None:
        """Changes the sounds of the last note: FluidSynth numbers notes from 0, in order."""
        library = self._library
        library.fluid_synth_get_voicelist(self._synth, self._found, len(self._found), self._struck)
        self._struck += 1
        for sound in itertools.takewhile(bool, self._found):
            room_cents = touch.least_cutoff_cents - library.fluid_voice_gen_get(sound, _FILTER_CUTOFF)
            closing_cents = max(touch.closing_cents, min(0.0, room_cents))
            for generator, change in ((_FINE_TUNE, touch.detune_cents), (_FILTER_CUTOFF, closing_cents)):
                library.fluid_voice_gen_incr(sound, generator, change)
                library.fluid_voice_update_param(sound, generator)
        library.fluid_synth_get_active_voice_count(self._synth)  # any call that passes the changes on

    def note_off(self, channel: int, pitch: int) -> None:
        """Releases a note now."""
        self._library.fluid_synth_noteoff(self._synth, self._channels[channel], pitch)

    def control(self, channel: int, controller: int, value: int) -> None:
        """Sets a MIDI controller now."""
        self._library.fluid_synth_cc(self._synth, self._channels[channel], controller, value)

    def render(self, parts: Parts) -> None:
        """Fills `parts`, each C-contiguous, with the sound of the next samples."""
        if len(parts) > 1:
            self._render_split(parts)
            return
        address = parts[0].ctypes.data
        self._library.fluid_synth_write_float(self._synth, parts.shape[1], address, 0, 2, address, 1, 2)

    def _render_split(self, parts: Parts) -> None:
        """Fills several parts; sound, reverb and chorus of each output are added to planar buffers."""
        casts, samples, sides = parts.shape
        planar = np.zeros((casts, sides, samples), np.float32)
        sound = [[side.ctypes.data for side in cast] for cast in planar]
        dry = (c_void_p * (2 * casts))(*itertools.chain(*sound))
        wet = (c_void_p * (4 * casts))(*itertools.chain(*(cast + cast for cast in sound)))
        self._library.fluid_synth_process(self._synth, samples, len(wet), wet, len(dry), dry)
        parts[:] = planar.swapaxes(1, 2)

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
