"""The pad: the chord, held."""

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part

_OVERLAP = 0.25
"""Beats that a chord sounds into the next bar, so that chords flow into each other."""


def pad(bar: Bar, part: Part) -> list[Event]:
    """All notes of the voicing for the whole bar."""
    length = bar.beats if part.closing else bar.beats + min(_OVERLAP, bar.beats / 4)
    return [Event(0, length, pitch, part.velocity - 8) for pitch in bar.voicing]
