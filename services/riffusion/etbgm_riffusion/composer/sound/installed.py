"""Selects the synthesiser and the SoundFont from those that are installed."""

from pathlib import Path

from etbgm_riffusion.composer.sound.synth import Synth

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


def find_soundfont(named: Path | None) -> Path:
    """Returns the SoundFont at `named`, or the first installed one. Raises RuntimeError if there is none."""
    for path in (named,) if named else SOUNDFONTS:
        if path.is_file():
            return path
    raise RuntimeError(f"no SoundFont at {named}: {MISSING}" if named else MISSING)


def find_synth(soundfont: Path) -> Synth:
    """Returns libfluidsynth, or tinysoundfont as a fallback. Raises RuntimeError if neither is installed."""
    from etbgm_riffusion.composer.sound.fluidsynth import FluidSynth

    try:
        return FluidSynth(soundfont)
    except OSError:
        pass
    try:
        from etbgm_riffusion.composer.sound.tiny import TinySynth
    except ImportError:
        raise RuntimeError(MISSING) from None
    return TinySynth(soundfont)
