"""Settings of the music server."""

from pathlib import Path

from etbgm_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """ETBGM_SOUNDFONT and so on; the rest is common to all servers."""

    soundfont: Path | None = None
    """General MIDI SoundFont (.sf2); Debian's FluidR3 or another installed one by default."""
