"""The pad: the chord, held."""

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part


def pad(bar: Bar, part: Part) -> list[Event]:
    """All notes of the voicing for the whole bar."""
    return [Event(0, bar.beats, pitch, part.velocity - 8) for pitch in bar.voicing]
