"""The pad: held chords."""

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part

_SHORT_BELOW = 0.45
"""Below this articulation, the pad releases each chord before the next one, but holds a section's last."""


def pad(bar: Bar, part: Part) -> list[Event]:
    """Writes the chord in the upper voices."""
    short = part.mood.articulation < _SHORT_BELOW and bar.remaining > 0
    length = 0.4 * bar.beats if short else bar.beats
    return [Event(0, length, pitch, part.velocity - 8) for pitch in bar.voicing[1:]]
