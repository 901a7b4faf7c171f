"""The pad: held chords."""

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part

_OVERLAP = 0.25
"""Beats that a chord extends into the next bar, so that chords flow into each other."""

_SHORT_BELOW = 0.4
"""Below this articulation, the pad releases each chord before the next one."""


def pad(bar: Bar, part: Part) -> list[Event]:
    """Writes the chord in the upper voices."""
    if part.closing:
        length = bar.beats
    elif part.mood.articulation < _SHORT_BELOW:
        length = 0.75 * bar.beats
    else:
        length = bar.beats + min(_OVERLAP, bar.beats / 4)
    return [Event(0, length, pitch, part.velocity - 8) for pitch in bar.voicing[1:]]
