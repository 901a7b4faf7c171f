"""The pad: the chord, held."""

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part

_OVERLAP = 0.25
"""Beats that a chord sounds into the next bar, so that chords flow into each other."""

_SHORT_BELOW = 0.4
"""From this articulation down, the pad lets go of each chord before the next one."""


def pad(bar: Bar, part: Part) -> list[Event]:
    """The upper voices, without the top one where it would crowd the lead."""
    if part.closing:
        length = bar.beats
    elif part.mood.articulation < _SHORT_BELOW:
        length = 0.75 * bar.beats
    else:
        length = bar.beats + min(_OVERLAP, bar.beats / 4)
    return [Event(0, length, pitch, part.velocity - 8) for pitch in bar.voicing[1:]]
