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
    loud = part.velocity
    if part.closing or bar.beats < 2:
        return [Event(0, bar.beats, root, loud)]
    middle = bar.beats // 2
    match part.profile.bass:
        case "half":
            return [Event(0, middle, root, loud), Event(middle, bar.beats - middle, fifth, loud - 8)]
        case "bounce":
            last = bar.beats - 0.5
            return [
                Event(0, 1, root, loud),
                Event(middle, 1, fifth, loud - 6),
                Event(last, 0.5, root, loud - 10),
            ]
        case "drive":
            return [Event(b, 0.45, root, loud if b % 1 == 0 else loud - 12) for b in onsets(bar.beats, 0.5)]
        case "pedal":
            return [Event(0, bar.beats, nearest(_CENTRE, [part.section.key.tonic]), loud)]
        case "lean":
            lean = bar.beats - 1
            return [Event(0, lean, root, loud), Event(lean, 1, root + 1, loud - 10)]
        case _:
            return [Event(0, bar.beats, root, loud)]
