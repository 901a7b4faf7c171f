"""Which voices play when: vertical layering of the arrangement (Collins 2008, "Game Sound", ch. 8).

Voices enter one after the other at the start of a piece and rest in turn, as the piece's texture says
(`textures`), so that the sound does not stay the same for long.
"""

from collections.abc import Sequence

from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.moods import distance
from etbgm_riffusion.composer.plan import Plan
from etbgm_riffusion.composer.score import Bar, PlannedSection

_LONG_BARS = 12
"""Bars of a first section from which voices enter one after the other."""

_ABRUPT = 0.55
"""Change of arousal from which a boundary gets a stinger (rise) or a breath (fall)."""

_FAR = 0.9
"""Distance on the valence-arousal plane from which a boundary without a stinger gets a breath."""


def rests(role: str, bar: Bar, plan: Plan) -> bool:
    """Returns whether this voice is silent in this bar."""
    texture = plan.texture
    long = len(plan.sections[0].bars) >= _LONG_BARS
    if bar.section == 0 and long and bar.number < texture.entries.get(role, 0):
        return True
    period = bar.number // (2 * PHRASE_BARS)
    return bar.remaining > 0 and role in texture.rests[period % len(texture.rests)]


def has_stinger(bar: Bar, sections: Sequence[PlannedSection]) -> bool:
    """Returns whether this is the first bar after a sudden rise of arousal: a hit point with a stinger."""
    if bar.number or not bar.section:
        return False
    before, now = sections[bar.section - 1].mood, sections[bar.section].mood
    return now.arousal - before.arousal >= _ABRUPT


def has_breath(bar: Bar, sections: Sequence[PlannedSection]) -> bool:
    """Returns whether this is the last bar before a sudden calm or distant mood, ending in a breath."""
    if bar.remaining or bar.section + 1 >= len(sections) or bar.beats < 2:
        return False
    now, after = sections[bar.section].mood, sections[bar.section + 1].mood
    rise = after.arousal - now.arousal
    return rise <= -_ABRUPT or (rise < _ABRUPT and distance(now, after) >= _FAR)
