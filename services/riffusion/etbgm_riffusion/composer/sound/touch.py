"""How a strike of a key sounds: brighter the harder it is, and never like the one before."""

from typing import NamedTuple

from etbgm_riffusion.composer.styles import DRUMS_CHANNEL

_GOLDEN, _PLASTIC = 0.6180339887498949, 0.7548776662466927
"""Steps of sequences that spread evenly and never repeat (Weyl): neighbours are at least 0.38 and 0.24 apart
on a circle. The second is the inverse of the plastic number, so that both do not go together."""

_DETUNED_CENTS, _DRUMS_DETUNED_CENTS = 4.0, 25.0
"""Largest deviation of pitch. Listeners notice 5 to 10 cents (Zwicker & Fastl, "Psychoacoustics", 7.2);
drum skins differ more, from place to place."""

_SOFT_CENTS, _HARD = -13000.0, 112
"""How far the softest touch closes the low-pass filter of a sound, and the velocity from which it is open:
most of FluidR3's sounds have the same samples for soft and loud. It closes by the square of the distance, 800
cents at velocity 84 and 5400 at 40, since the highs of what is already soft are missed first. SoundFont 2.04,
8.4.2 provides for -2400 cents, which FluidSynth leaves out."""

_DULLED_CENTS = 300.0
"""By how much the least bright strike closes the filter further than the brightest."""

_LEAST_CENTS, _DRUMS_CUTOFF_CENTS = 700.0, 9600.0
"""The filter stays open to a fifth above the tone, so that it does not lose its level; for drums, to 2.1 kHz.
Sounds whose own filter is lower follow the velocity by themselves."""


class Touch(NamedTuple):
    """Changes of one strike."""

    detune_cents: float
    closing_cents: float
    """Change of the filter's cutoff, 0 or less."""
    least_cutoff_cents: float
    """Where the closing ends, in cents above 8.176 Hz."""


def touch_of(channel: int, pitch: int, velocity: int, number: int) -> Touch:
    """Returns the touch of the strike `number` of a key since the player began.

    Start times and velocities differ besides, by the random seed (`perform`).
    """
    drums = channel == DRUMS_CHANNEL
    most_cents = _DRUMS_DETUNED_CENTS if drums else _DETUNED_CENTS
    pitched = (number * _GOLDEN + pitch * _PLASTIC) % 1
    dulled = (number * _PLASTIC + pitch * _GOLDEN) % 1
    return Touch(
        most_cents * (2 * pitched - 1),
        _SOFT_CENTS * max(0.0, 1 - velocity / _HARD) ** 2 - _DULLED_CENTS * dulled,
        _DRUMS_CUTOFF_CENTS if drums else 100.0 * pitch + _LEAST_CENTS,
    )
