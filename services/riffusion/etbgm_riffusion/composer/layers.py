"""Which voices play when: vertical layering of the arrangement (Collins 2008, "Game Sound", ch. 8).

Voices enter one after the other at the start of a piece and rest in turn in long sections, so that the
sound does not stay the same for long.
"""

from collections.abc import Sequence

from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.moods import distance
from etbgm_riffusion.composer.score import Bar, PlannedSection

_ENTRIES = {"bass": 1, "drums": 2, "lead": 2, "counter": 4}
"""Bars that a voice waits at the start of a piece, if the first section is long enough."""

_LONG_BARS = 12

_RESTS = {2: ("counter",), 3: ("drums",), 5: ("keys", "counter"), 6: ("pad",)}
"""Eight-bar periods, counted in rounds of seven, and the voices that rest in them."""
_ROUND = 7

_ABRUPT = 0.55
"""Change of arousal from which a boundary gets a stinger (rise) or a breath (fall)."""

_FAR = 0.9
"""Distance on the valence-arousal plane from which a boundary without a stinger gets a breath."""


def rests(role: str, bar: Bar, sections: Sequence[PlannedSection]) -> bool:
    """Returns whether this voice is silent in this bar."""
    if bar.section == 0 and len(sections[0].bars) >= _LONG_BARS and bar.number < _ENTRIES.get(role, 0):
        return True
    return role in _RESTS.get(bar.number // (2 * PHRASE_BARS) % _ROUND, ())


def has_stinger(bar: Bar, sections: Sequence[PlannedSection]) -> bool:
    """Returns whether this is the first bar after a sudden rise of arousal: a hit point with a stinger."""
    if bar.number or not bar.section:
        return False
    before, now = sections[bar.section - 1].mood, sections[bar.section].mood
    return now.arousal - before.arousal >= _ABRUPT


def has_breath(bar: Bar, sections: Sequence[PlannedSection]) -> bool:
    """Returns whether this is the last bar before a sudden calm or distant mood: its last beat is silent."""
    if bar.remaining or bar.section + 1 >= len(sections) or bar.beats < 2:
        return False
    now, after = sections[bar.section].mood, sections[bar.section + 1].mood
    rise = after.arousal - now.arousal
    return rise <= -_ABRUPT or (rise < _ABRUPT and distance(now, after) >= _FAR)
