"""Musical events at the strong cuts, beside the tempo that brings them near beats.

A cut gets an accent of all that plays, after a short silence: a bass note and a chord if nothing began there,
and a cymbal if the style has drums. Film composers call such moments hits (Karlin & Wright 2004, "On the
track", chapter 11).
"""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from etbgm_kit.types import Cut
from etbgm_riffusion.composer.grooves import DRUMS
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.speech import Speech

_LOUDER = 26
"""Velocity of an accent above that of the section."""

_SOFTER = -8
"""Velocity of what begins in the beat before or after an accent, which stands out from it."""

_BREATH, _BREATHS = 0.75, (0.25, 0.5)
"""Beats of silence before a hit, and before one of at least this strength."""

_SAME_S = 0.09
"""Notes this near a hit are part of it: a beat that is meant for the cut is not farther away."""

_AHEAD_S = 0.03
"""Sounds reach their loudest this much after their notes begin, and players are late by some of it."""


class Hit(NamedTuple):
    """An accent on `beat` of a bar; `strength` in [0, 1] is that of its cut."""

    beat: float
    strength: float


def hits_in(bar: Bar, cuts: Sequence[Cut], speech: Speech) -> list[Hit]:
    """Returns the hits of a bar for the strong `cuts`: none under speech, where music must not surprise."""
    return [
        Hit(max(0.0, bar.beat_at(max(bar.start_s, cut.time_s - _AHEAD_S))), cut.strength)
        for cut in cuts
        if bar.start_s <= cut.time_s < bar.end_s and not speech.sounds_at(cut.time_s)
    ]


def accented(
    role: str, events: Sequence[Event], bar: Bar, hits: Sequence[Hit], velocity: int, has_drums: bool
) -> list[Event]:
    """Returns what a voice plays in a bar, with accents at `hits`; `velocity` is the section's.

    An accent is at the cut, not at the beat near it; all voices that play on that beat move with it.
    """
    loud = min(124, velocity + _LOUDER)
    for beat, strength in hits:
        silent_from = beat - _BREATHS[strength >= _BREATH]
        here = [event for event in events if abs(event.beat - beat) * bar.beat_s < _SAME_S]
        others = [_before(event, silent_from, beat) for event in events if event not in here]
        struck = [event._replace(beat=beat, velocity=max(loud, event.velocity)) for event in here]
        struck += _added(role, bar, beat, loud, struck, has_drums)
        events = [*(_stepping_back(event, beat) for event in others if event), *struck]
    return list(events)


def _before(event: Event, silent_from: float, beat: float) -> Event | None:
    """Returns the event, ended at `silent_from`; None if it begins in the silence before `beat`."""
    if silent_from <= event.beat < beat:
        return None
    if event.beat < silent_from < event.beat + event.length:
        return event._replace(length=silent_from - event.beat)
    return event


def _stepping_back(event: Event, beat: float) -> Event:
    near = abs(event.beat - beat) < 1
    return event._replace(velocity=max(20, event.velocity + _SOFTER)) if near else event


def _added(
    role: str, bar: Bar, beat: float, velocity: int, struck: Sequence[Event], has_drums: bool
) -> Iterator[Event]:
    length = min(1.5, bar.beats - beat)
    if role == "drums" and has_drums:
        yield from (Event(beat, length, DRUMS[drum], velocity) for drum in ("crash", "kick"))
    if role == "bass" or (role in ("keys", "pad") and len(struck) < len(bar.voicing) - 1):
        missing = missing_notes(role, bar, {event.pitch for event in struck})
        yield from (Event(beat, length, pitch, velocity) for pitch in missing)


def missing_notes(role: str, bar: Bar, struck: Collection[int]) -> Iterator[int]:
    """Yields the pitches that complete what a voice has struck: the root for a bass, the chord for others."""
    if role != "bass":
        yield from (pitch for pitch in bar.voicing[1:] if pitch not in struck)
    elif not struck:
        yield bar.voicing[0]
