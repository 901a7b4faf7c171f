"""Where the voices lie: the lead above the pad, the pad above the bass.

A melody is heard best as the highest voice, some way above the others (Huron 2001, "Tone and voice: a
derivation of the rules of voice-leading from perceptual principles"), and a singable range keeps it there.
"""

from etbgm_riffusion.composer.profiles import Means

LOWEST, HIGHEST = 55, 88
"""Range of the lead, G3 to E6."""

_CENTRE = 75
"""Middle of the lead's range in neutral music, E flat 5."""
_SHIFT = 0.7
"""Fraction of the mood's register shift that the voices follow."""
_CENTRES = (67, 80)
_REACH = 8
"""Semitones above and below the middle that the lead uses."""

ABOVE_PAD = 3
"""Minimum semitones between the pad and the lead."""


def lead_centre(mood: Means) -> int:
    """Returns the middle of the lead's range as a MIDI pitch."""
    low, high = _CENTRES
    return min(high, max(low, _CENTRE + round(_SHIFT * mood.register)))


def lead_range(mood: Means) -> tuple[int, int]:
    """Returns the lead's lowest and highest MIDI pitch."""
    centre = lead_centre(mood)
    return max(LOWEST, centre - _REACH), min(HIGHEST, centre + _REACH)


def pad_ceiling(mood: Means) -> int:
    """Returns the highest MIDI pitch of the pad."""
    return lead_range(mood)[0] - ABOVE_PAD
