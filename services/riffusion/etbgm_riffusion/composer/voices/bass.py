"""The bass: the root and what moves around it."""

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.theory import nearest
from etbgm_riffusion.composer.voices.part import Part, onsets

_CENTRE = 39
"""E flat 2: roots lie between A1 and G#2."""


def bass(bar: Bar, part: Part) -> list[Event]:
    """The emotion's movement: `Profile.bass` names it."""
    root = nearest(_CENTRE, [bar.chord.root])
    fifth = nearest(root + 4, [bar.chord.fifth])
    tonic = nearest(_CENTRE, [part.section.key.tonic])
    loud, middle, last = part.velocity, bar.beats // 2, bar.beats - 1
    whole = [Event(0, bar.beats, root, loud)]
    if part.closing or bar.beats < 2:
        return whole
    movements = {
        "whole": whole,
        "pedal": [Event(0, bar.beats, tonic, loud)],
        "half": [Event(0, middle, root, loud), Event(middle, bar.beats - middle, fifth, loud - 8)],
        "lean": [Event(0, last, root, loud), Event(last, 1, root + 1, loud - 10)],
        "bounce": [
            Event(0, 1, root, loud),
            Event(middle, 1, fifth, loud - 6),
            Event(last + 0.5, 0.5, root, loud - 10),
        ],
        "drive": [Event(b, 0.45, root, loud if b % 1 == 0 else loud - 12) for b in onsets(bar.beats, 0.5)],
    }
    return movements[part.profile.bass]
