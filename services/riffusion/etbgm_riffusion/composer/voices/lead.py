"""The lead: the piece's motif, shaped by the emotion and fitted to the chords."""

from dataclasses import dataclass

from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.motif import MotifNote
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.theory import MODES, nearest
from etbgm_riffusion.composer.voices.part import Part

_CENTRE = 72
_REACH = 12
"""Semitones above and below the middle of the register."""

_LARGEST_LEAP = 9
"""Semitones, a major sixth: larger leaps are rare in songs (Huron 2006, Sweet Anticipation, ch. 5)."""

_SHIFTS = (0, 0, 1, -1, 2, -2, 3)
"""Scale steps by which a repeated phrase may be moved (a sequence)."""

_MIRRORED, _ORNAMENTED = 0.25, 0.4
"""Probabilities that a later phrase inverts the motif, and that it gives notes a neighbour."""


@dataclass(frozen=True, slots=True)
class _Idea:
    """How one phrase uses the motif."""

    silent: bool
    shift: int
    leap: int
    ornamented: bool


def lead(bar: Bar, part: Part) -> list[Event]:
    """Writes the motif in the first half of a phrase, then its sequel, then a resting note."""
    if part.closing:
        pitch = nearest(_middle(part), [bar.chord.root])
        return [Event(0, bar.beats, pitch, part.velocity)]
    phrase, place = divmod(bar.number, PHRASE_BARS)
    idea = _idea(bar.section, phrase, part)
    if (idea.silent and phrase and not part.answering) or bar.beats < 1:
        return []
    if place == PHRASE_BARS - 1:
        return _cadence(bar, part, idea)
    shift = idea.shift + place // 2 * (1 if part.mood.valence > 0 else -1)
    events: list[Event] = []
    last = part.last
    for note in part.motif.bar(place, part.profile.stretch):
        if note.beat < bar.beats:
            events += _sing(note, bar, part, note.step * idea.leap + shift, last, idea.ornamented)
            last = events[-1].pitch
    return events


def _idea(section: int, phrase: int, part: Part) -> _Idea:
    chance = generator(part.random_seed, "idea", section, phrase)
    silent = chance.random() > part.mood.lead
    shift = pick(chance, _SHIFTS) if phrase else 0
    mirrored = phrase > 0 and chance.random() < _MIRRORED
    leap = -part.profile.leap if mirrored else part.profile.leap
    return _Idea(silent, shift, leap, phrase > 0 and chance.random() < _ORNAMENTED)


def _sing(
    note: MotifNote, bar: Bar, part: Part, step: int, last: int | None, ornamented: bool
) -> list[Event]:
    """Writes the motif's note `step` scale steps from the middle of the register.

    Long notes and those on the first beat move to the nearest chord note; an ornamented note is followed
    by a neighbour from the scale.
    """
    pitch = _scale_pitch(part, step)
    if note.beat == 0 or note.length >= 1.5:
        pitch = nearest(pitch, bar.chord.notes[:3])
    pitch = _in_reach(pitch, last, part)
    length = min(note.length, bar.beats - note.beat)
    velocity = part.velocity + (8 if note.beat == 0 else 4)
    if ornamented and length >= 1 and note.beat + length < bar.beats:
        neighbour = nearest(pitch + 2, [p for p in _scale(part) if p != pitch % 12])
        return [
            Event(note.beat, length / 2, pitch, velocity),
            Event(note.beat + length / 2, length / 2, neighbour, velocity - 8),
        ]
    return [Event(note.beat, length, pitch, velocity)]


def _cadence(bar: Bar, part: Part, idea: _Idea) -> list[Event]:
    """Writes a resting chord note, sometimes approached from the scale's note above."""
    goal = _in_reach(nearest(_scale_pitch(part, idea.shift), bar.chord.notes[:3]), part.last, part)
    held = max(1.0, bar.beats - 1)
    if part.variant % 2 == 0 or bar.beats < 3:
        return [Event(0, held, goal, part.velocity)]
    above = nearest(goal + 2, [p for p in _scale(part) if p != goal % 12])
    return [
        Event(0, 1, above, part.velocity),
        Event(1, held - 1, goal, part.velocity - 4),
    ]


def _middle(part: Part) -> int:
    return _CENTRE + round(part.mood.register)


def _scale(part: Part) -> list[int]:
    key = part.section.key
    return [(key.tonic + interval) % 12 for interval in MODES[key.mode]]


def _scale_pitch(part: Part, step: int) -> int:
    key, scale = part.section.key, _scale(part)
    anchor = nearest(_middle(part), scale)
    degree = scale.index(anchor % 12)
    return key.pitch(degree + step) + anchor - key.pitch(degree)


def _in_reach(pitch: int, last: int | None, part: Part) -> int:
    """Returns the octave of `pitch` in the register and, as far as possible, near the last note."""
    middle = _middle(part)
    octaves = [p for p in range(pitch - 36, pitch + 37, 12) if abs(p - middle) <= _REACH]
    return min(octaves, key=lambda p: (last is not None and abs(p - last) > _LARGEST_LEAP, abs(p - pitch)))
