"""The accompaniment: figures on the chord."""

import math
from collections.abc import Callable

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.theory import nearest
from etbgm_riffusion.composer.voices.part import Part, onsets

_STABS = ((0, 1.5, 3), (0, 1, 2.5), (0.5, 1.5, 3), (0, 2.5, 3.5))
_COMPS = ((0, 2.5), (0.5, 2), (1, 2.5, 3.5), (0, 1.5, 3))
_STRUMS = (
    (0, 1, 1.5, 2.5, 3),
    (0, 1, 2, 2.5, 3.5),
    (0, 1.5, 2, 3, 3.5),
    (0, 0.5, 1.5, 2.5, 3),
)
_RIFFS = ((0, 1.5, 3), (0, 1.5, 2.5), (0, 2, 3.5), (0, 1.5, 3, 3.5))
"""Onsets in a bar of four beats, one row per variant."""


def keys(bar: Bar, part: Part) -> list[Event]:
    """Writes the section's figure: the one in `FIGURES` that `Part.figure` names."""
    if part.closing or bar.beats < 1:
        return [Event(0, bar.beats, pitch, part.velocity - 6) for pitch in _upper(bar)]
    return FIGURES[part.figure](bar, part)


def _low(bar: Bar) -> int:
    """Returns the left hand's note, an octave above the bass's root, so that it never lies below the bass."""
    return bar.voicing[0] + 12


def _upper(bar: Bar) -> tuple[int, ...]:
    """Returns the chord in the upper voices."""
    return bar.voicing[1:]


def _member(bar: Bar, number: int) -> int:
    """Returns the highest root (0), third (1) or fifth (2) in the upper voices, or the nearest above them."""
    wanted, upper = bar.chord.notes[number], _upper(bar)
    inside = [pitch for pitch in upper if pitch % 12 == wanted]
    return max(inside, default=upper[0] + (wanted - upper[0]) % 12)


def _step(part: Part) -> float:
    """Returns the step of 2, 1, 0.5 or 0.25 beats that is nearest to the mood's density."""
    return min((2.0, 1.0, 0.5, 0.25), key=lambda step: abs(math.log(step * part.mood.density)))


def _block(bar: Bar, part: Part) -> list[Event]:
    """The chord once or twice in a bar."""
    again = [bar.beats // 2] if part.mood.density >= 0.8 and part.variant % 2 and bar.beats >= 2 else []
    return [
        Event(beat, bar.beats - beat, pitch, part.velocity - 6)
        for beat in (0, *again)
        for pitch in _upper(bar)
    ]


def _arpeggio(bar: Bar, part: Part) -> list[Event]:
    """Up and down over the chord and its lowest note's octave; odd variants are reversed."""
    step = _step(part)
    ladder = [*_upper(bar), _upper(bar)[0] + 12]
    if part.variant % 2:
        ladder.reverse()
    turn = [*range(len(ladder)), *range(len(ladder) - 2, 0, -1)]
    shift = part.variant // 2 + 2 * (bar.number % 2)
    return [
        Event(beat, step, ladder[turn[(i + shift) % len(turn)]], part.velocity - (0 if beat % 1 == 0 else 8))
        for i, beat in enumerate(onsets(bar.beats, step))
    ]


def _rise(bar: Bar, part: Part) -> list[Event]:
    """A run up two octaves in half of the bar, then a chord: something happens."""
    ladder = [pitch + 12 * octave for octave in (0, 1) for pitch in _upper(bar)]
    start = 0 if part.variant % 2 else bar.beats // 2
    run = onsets(min(2.0, bar.beats - start), 0.5 if part.mood.density < 1.5 else 0.25)
    top = [Event((start + 2) % bar.beats, 0.5, pitch + 12, part.velocity) for pitch in _upper(bar)]
    return [
        Event(start + b, 0.3, ladder[i % len(ladder)], part.velocity - 8 + i) for i, b in enumerate(run)
    ] + top


def _broken(bar: Bar, part: Part) -> list[Event]:
    """The low note on the first beat, then the others above it, beat by beat."""
    upper, step = _upper(bar), max(0.5, _step(part))
    events = [Event(0, bar.beats, _low(bar), part.velocity - 8)]
    for index, beat in enumerate(onsets(bar.beats, step)[1:]):
        pitch = upper[(index + 1 + part.variant + bar.number) % len(upper)]
        accent = 4 if beat % 1 == 0 else 10
        events.append(Event(beat, step, pitch, part.velocity - accent))
        if (index + part.variant) % 3 == 2:
            events.append(Event(beat, step, upper[0], part.velocity - 12))
    return events


def _offbeat(bar: Bar, part: Part) -> list[Event]:
    """A low note on the beat, the chord after it."""
    upper, events = _upper(bar), []
    for beat in onsets(bar.beats, 1):
        low = _low(bar) if int(beat) % 2 == part.variant % 2 else upper[0]
        events.append(Event(beat, 0.5, low, part.velocity - 6))
        events += [Event(beat + 0.5, 0.5, pitch, part.velocity - 10) for pitch in upper[1:]]
    return events


def _pulse(bar: Bar, part: Part) -> list[Event]:
    """The chord repeated, with accents on every third one or on the beat."""
    step = _step(part)
    every = 3 if part.variant % 2 else round(1 / step)
    return [
        Event(beat, step, pitch, part.velocity - (4 if i % every == 0 else 18))
        for i, beat in enumerate(onsets(bar.beats, step))
        for pitch in _upper(bar)
    ]


def _ostinato(bar: Bar, part: Part) -> list[Event]:
    """A low voice in even notes on root, third and fifth, with the chord on the first beat."""
    low = _low(bar)
    third, fifth = nearest(low + 4, [bar.chord.notes[1]]), nearest(low + 7, [bar.chord.fifth])
    cell = (
        (low, low, third, low),
        (low, fifth, third, low),
        (low, low, low, third),
        (low, third, fifth, third),
    )
    return [
        Event(beat, 0.5, cell[part.variant][i % 4], part.velocity - (0 if i % 4 == 0 else 12))
        for i, beat in enumerate(onsets(bar.beats, min(0.5, _step(part))))
    ] + [Event(0, 0.5, pitch, part.velocity) for pitch in _upper(bar)]


def _riff(bar: Bar, part: Part) -> list[Event]:
    """A low ostinato on the tonic, with its third and octave on accents of three, three and two.

    Where tonic or third would clash with the chord, the chord's own take their place.
    """
    fitting, key = part.fitting(bar), part.section.key
    root, third = key.pitch(0) % 12, key.pitch(2) % 12
    low = nearest(_low(bar), [root if root in fitting else bar.chord.root])
    third = nearest(low + 4, [third if third in fitting else bar.chord.notes[1]])
    accents = _RIFFS[(part.variant + bar.number % 2) % len(_RIFFS)]
    step = min(0.5, _step(part))
    strokes = [Event(beat, step, low, part.velocity - 6 * (beat % 1 > 0)) for beat in onsets(bar.beats, step)]
    return strokes + [
        Event(beat, 0.75, pitch, part.velocity + 6)
        for beat in accents
        if beat < bar.beats
        for pitch in (third, low + 12)
    ]


def _rhythm(patterns: tuple[tuple[float, ...], ...], length: float) -> Callable[[Bar, Part], list[Event]]:
    """Returns a figure of chords in one of four rhythms; every second bar uses the next one."""

    def figure(bar: Bar, part: Part) -> list[Event]:
        pattern = patterns[(part.variant + bar.number % 2) % len(patterns)]
        return [
            Event(beat, length, pitch, part.velocity - (2 if beat % 1 == 0 else 8))
            for beat in pattern
            if beat < bar.beats
            for pitch in _upper(bar)
        ]

    return figure


def _lurch(bar: Bar, part: Part) -> list[Event]:
    """The lowest note alone on the strong beats, the chord after it, sometimes late: it limps."""
    upper, late = _upper(bar), 0.5 if part.variant == 3 and bar.number % 2 else 0.0
    events = [Event(beat, 1, _low(bar), part.velocity) for beat in onsets(bar.beats, 2)]
    for beat in onsets(bar.beats, 2):
        answer = beat + 1 + late
        if answer < bar.beats and (beat or part.variant % 2):
            events += [Event(answer, 0.8, pitch, part.velocity - 6) for pitch in upper]
    return events


def _tremble(bar: Bar, part: Part) -> list[Event]:
    """A fast tremolo of a chord note and its neighbour, interrupted once: restless, uneven.

    At a peak of tension the neighbour is a semitone above; elsewhere none that the lead may sing is one away.
    """
    low, fitting = _member(bar, 2 * (part.variant % 2)), part.fitting(bar)
    calm = [n for n in fitting if n != low % 12 and not {(n + 1) % 12, (n - 1) % 12}.intersection(fitting)]
    other = low + 1 if bar.tense else nearest(low + 2, calm)
    gap = float(int(part.chance.random() * bar.beats))
    beats = [b for b in onsets(bar.beats, 0.25) if not gap <= b < gap + 1 or bar.beats <= 2]
    trill = [
        Event(beat, 0.25, other if i % 2 else low, part.velocity - (0 if i % 2 == 0 else 3))
        for i, beat in enumerate(beats)
    ]
    strong = [beat for beat in beats if beat % 1 == 0]
    held = [Event(beat, 3, pitch, part.velocity - 2) for beat in strong for pitch in (low, other)]
    return trill + held


FIGURES: dict[str, Callable[[Bar, Part], list[Event]]] = {
    "arpeggio": _arpeggio,
    "block": _block,
    "broken": _broken,
    "comp": _rhythm(_COMPS, 0.75),
    "lurch": _lurch,
    "offbeat": _offbeat,
    "ostinato": _ostinato,
    "pulse": _pulse,
    "riff": _riff,
    "rise": _rise,
    "stabs": _rhythm(_STABS, 0.5),
    "strum": _rhythm(_STRUMS, 0.5),
    "tremble": _tremble,
}
