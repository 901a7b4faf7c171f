"""Which voices play when: vertical layering of the arrangement (Collins 2008, "Game Sound", ch. 8).

Voices enter one after the other at the start of a piece and rest in turn, as the piece's texture says
(`textures`), so that the sound does not stay the same for long.
"""

from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.plan import Plan
from etbgm_riffusion.composer.score import Bar

_LONG_BARS = 12
"""Bars of a first section from which voices enter one after the other."""


def rests(role: str, bar: Bar, plan: Plan) -> bool:
    """Returns whether this voice is silent in this bar."""
    texture = plan.texture
    long = len(plan.sections[0].bars) >= _LONG_BARS
    if bar.section == 0 and long and bar.number < texture.entries.get(role, 0):
        return True
    period = bar.number // (2 * PHRASE_BARS)
    return bar.remaining > 0 and role in texture.rests[period % len(texture.rests)]
