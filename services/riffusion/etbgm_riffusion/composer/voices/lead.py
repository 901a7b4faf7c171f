"""The lead: the piece's motif, shaped by the emotion and fitted to the chords."""

from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.motif import MotifNote
from etbgm_riffusion.composer.plan import PHRASE_BARS
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.theory import MODES, nearest
from etbgm_riffusion.composer.voices.part import Part

_CENTRE = 72
_LOWEST, _HIGHEST = 55, 91
_SHIFTS = (0, 0, 1, -1, 2, -2)
"""Scale steps by which a repeated phrase may be moved (a sequence)."""


def lead(bar: Bar, part: Part) -> list[Event]:
    """The motif in the first half of a phrase, its sequel, then a note that rests."""
    if part.closing:
        return [Event(0, bar.beats, _fit(_CENTRE + part.profile.register, (bar.chord.root,)), part.velocity)]
    phrase, place = divmod(bar.number, PHRASE_BARS)
    chance = generator(part.random_seed, "phrase", bar.section, phrase)
    silent = chance.random() > part.profile.lead
    shift = pick(chance, _SHIFTS) if phrase else 0
    mirrored = phrase > 0 and chance.random() < 0.25
    if (silent and phrase) or bar.beats < 1:
        return []
    if place == PHRASE_BARS - 1:
        return _rest(bar, part, shift)
    notes = part.motif.bar(place, part.profile.stretch)
    leap = -part.profile.leap if mirrored else part.profile.leap
    shift += place // 2 * (1 if part.profile.valence > 0 else -1)
    return [_sing(note, bar, part, note.step * leap + shift) for note in notes if note.beat < bar.beats]


def _sing(note: MotifNote, bar: Bar, part: Part, step: int) -> Event:
    """The motif's note `step` scale steps from the middle of the register.

    Long notes and those on the first beat are moved to the nearest chord note.
    """
    pitch = _scale_pitch(part, step)
    if note.beat == 0 or note.length >= 1.5:
        pitch = nearest(pitch, bar.chord.notes[:3])
    length = min(note.length, bar.beats - note.beat)
    accent = 4 if note.beat == 0 else 0
    return Event(note.beat, length, _in_range(pitch), part.velocity + 4 + accent)


def _rest(bar: Bar, part: Part, shift: int) -> list[Event]:
    pitch = nearest(_scale_pitch(part, shift), bar.chord.notes[:3])
    return [Event(0, max(1, bar.beats - 1), _in_range(pitch), part.velocity)]


def _scale_pitch(part: Part, step: int) -> int:
    key = part.section.key
    scale = [(key.tonic + interval) % 12 for interval in MODES[key.mode]]
    anchor = nearest(_CENTRE + part.profile.register, scale)
    degree = scale.index(anchor % 12)
    return key.pitch(degree + step) + anchor - key.pitch(degree)


def _fit(pitch: int, pitch_classes: tuple[int, ...]) -> int:
    return _in_range(nearest(pitch, pitch_classes))


def _in_range(pitch: int) -> int:
    while pitch > _HIGHEST:
        pitch -= 12
    while pitch < _LOWEST:
        pitch += 12
    return pitch
