"""The lead: the piece's motif, shaped by the emotion and fitted to the chords."""

from dataclasses import dataclass

from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.idioms import IDIOMS
from etbgm_riffusion.composer.motif import MotifNote
from etbgm_riffusion.composer.registers import lead_centre, lead_range
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.theory import nearest
from etbgm_riffusion.composer.voices.part import Part

_LARGEST_LEAP = 9
"""Semitones, a major sixth: larger leaps are rare in songs (Huron 2006, Sweet Anticipation, ch. 5)."""

_MIRRORED = 0.25
"""Probability that a later phrase inverts the motif."""

_LONGEST_REST_S = 4.5
"""Longest rest inside a phrase. With late entries and short notes it stays below 8 s."""
_RESTS = ((3,), (2,), (2, 3))
"""Bars of a phrase in which the lead may rest; it never rests at a phrase's beginning."""

_LONG = 1.5
"""Length in beats from which a note belongs to the chord."""


@dataclass(frozen=True, slots=True)
class _Idea:
    """How one phrase uses the motif."""

    rests: tuple[int, ...]
    shift: int
    leap: int
    ornamented: bool


def lead(bar: Bar, part: Part) -> list[Event]:
    """Writes the motif, its sequel and a resting note; the first phrase of a section states it whole."""
    if part.closing:
        return [
            Event(0, bar.beats, _near(lead_centre(part.mood), [bar.chord.root], None, part), part.velocity)
        ]
    if bar.beats < 1:
        return []
    phrase, place = divmod(bar.number, PHRASE_BARS)
    idea, stretch = _idea(bar, phrase, part), min(part.profile.stretch, IDIOMS[part.style.name].longest)
    if place in idea.rests:
        return []
    if place == PHRASE_BARS - 1 and (phrase or stretch == 1):
        return _cadence(bar, part, idea)
    shift = idea.shift + place // 2 * (1 if part.mood.valence > 0 else -1) * (stretch == 1)
    events: list[Event] = []
    last = part.last
    for note in part.motif.bar(place, stretch):
        if note.beat < bar.beats:
            events += _sing(note, bar, part, note.step * idea.leap + shift, last, idea.ornamented)
            last = events[-1].pitch
    return events or [
        Event(0, bar.beats, _near(_anchor(last, part), bar.chord.notes[:3], last, part), part.velocity)
    ]


def _idea(bar: Bar, phrase: int, part: Part) -> _Idea:
    idiom = IDIOMS[part.style.name]
    chance = generator(part.random_seed, "idea", bar.section, phrase)
    silent = chance.random() > part.mood.lead
    longest = int(_LONGEST_REST_S // (bar.beats * bar.beat_s))
    rests = [rest for rest in _RESTS if len(rest) <= longest]
    resting = bool(phrase and silent and rests and not part.answering)
    rest = pick(chance, rests or [()])
    shift = pick(chance, idiom.sequence) if phrase else 0
    mirrored = phrase > 0 and chance.random() < _MIRRORED
    leap = -part.profile.leap if mirrored else part.profile.leap
    return _Idea(rest if resting else (), shift, leap, phrase > 0 and chance.random() < idiom.ornaments)


def _sing(
    note: MotifNote, bar: Bar, part: Part, step: int, last: int | None, ornamented: bool
) -> list[Event]:
    """Writes the motif's note `step` scale steps from the middle of the register.

    Long notes and those on the first beat move to the nearest chord note; an ornamented note is followed
    by a neighbour from the scale.
    """
    wished = _scale_pitch(part, step)
    strong = note.beat == 0 or note.length >= _LONG
    pitch = _near(wished, bar.chord.notes[:3] if strong else part.fitting(bar), last, part)
    length = min(note.length, bar.beats - note.beat)
    velocity = part.velocity + (8 if note.beat == 0 else 4)
    if ornamented and length >= 1 and note.beat + length < bar.beats:
        neighbour = _neighbour(pitch, bar, part)
        return [
            Event(note.beat, length / 2, pitch, velocity),
            Event(note.beat + length / 2, length / 2, neighbour, velocity - 8),
        ]
    return [Event(note.beat, length, pitch, velocity)]


def _cadence(bar: Bar, part: Part, idea: _Idea) -> list[Event]:
    """Writes a resting chord note, sometimes approached from the scale's note above."""
    goal = _near(_scale_pitch(part, idea.shift), bar.chord.notes[:3], part.last, part)
    held = max(1.0, bar.beats - 1)
    if part.variant % 2 == 0 or bar.beats < 3:
        return [Event(0, held, goal, part.velocity)]
    return [
        Event(0, 1, _neighbour(goal, bar, part), part.velocity),
        Event(1, held - 1, goal, part.velocity - 4),
    ]


def _neighbour(pitch: int, bar: Bar, part: Part) -> int:
    """Returns the nearest fitting note above `pitch`, or below it at the top of the range."""
    others = [note for note in part.fitting(bar) if note != pitch % 12]
    above = nearest(pitch + 2, others)
    return above if pitch < above <= lead_range(part.mood)[1] else nearest(pitch - 2, others)


def _anchor(last: int | None, part: Part) -> int:
    return lead_centre(part.mood) if last is None else last


def _scale_pitch(part: Part, step: int) -> int:
    key, scale = part.section.key, part.scale
    anchor = nearest(lead_centre(part.mood), scale)
    degree = scale.index(anchor % 12)
    return key.pitch(degree + step) + anchor - key.pitch(degree)


def _near(pitch: int, pitch_classes: list[int] | tuple[int, ...], last: int | None, part: Part) -> int:
    """Returns the note of `pitch_classes` in the lead's range nearest to `pitch`, without a large leap."""
    low, high = lead_range(part.mood)
    inside = [p for p in range(low, high + 1) if p % 12 in set(pitch_classes)]
    far = [last is not None and abs(p - last) > _LARGEST_LEAP for p in inside]
    return min(zip(far, inside, strict=True), key=lambda pair: (pair[0], abs(pair[1] - pitch), pair[1]))[1]
