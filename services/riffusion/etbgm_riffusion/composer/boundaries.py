"""How a section ends and the next one begins, so that the change is heard.

Before a boundary, all voices but the pad lift: they are silent for a moment, the drums a little longer. The
new section begins together: bass and chord on its first beat, everything there a little louder, and a
cymbal (`voices.drums`). Sudden changes of mood get a stinger or a breath besides, as in film music
(Karlin & Wright 2004, "On the track", chapter 11).
"""

from collections.abc import Iterator, Sequence

from etbgm_riffusion.composer.accents import missing_notes
from etbgm_riffusion.composer.moods import distance
from etbgm_riffusion.composer.score import Bar, Event, PlannedSection

_ABRUPT = 0.55
"""Change of arousal from which a boundary gets a stinger (rise) or a breath (fall)."""

_FAR = 0.9
"""Distance on the valence-arousal plane from which a boundary without a stinger gets a breath."""

_LIFT, _DRUMS_LIFT = 0.25, 0.5
"""Beats of silence before a boundary. With them, a change is measured in the sound at 92 % of the boundaries;
at 90 % if the drums only play more softly, and at 85 % without marks (`make bench-music`, novelty)."""

HOLDING = "pad"
"""The voice that goes on in a lift and a breath: silence would be a fall of 40 dB within half a second."""

_LOUDER = 10
"""Velocity of a section's first beat above the others."""

_BEGINNING = ("bass", "keys")
"""The voices that must strike the chord on the first beat."""


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


def marked(role: str, events: Sequence[Event], bar: Bar, velocity: int) -> list[Event]:
    """Returns what a voice plays in a bar, begun and lifted at boundaries; the piece's own ends stay.

    `velocity` is the section's. The piece's last bar must not be given.
    """
    found = list(events)
    if bar.section and bar.number == 0:
        found = list(_begun(role, found, bar, velocity))
    if bar.remaining == 0 and bar.beats >= 1 and role != HOLDING:
        end = bar.beats - (_DRUMS_LIFT if role == "drums" else _LIFT)
        found = [e._replace(length=min(e.length, end - e.beat)) for e in found if e.beat < end]
    return found


def _begun(role: str, events: Sequence[Event], bar: Bar, velocity: int) -> Iterator[Event]:
    """Yields the events, louder on the first beat, and the notes of the chord that are missing there."""
    for event in events:
        yield event._replace(velocity=min(124, event.velocity + _LOUDER)) if event.beat == 0 else event
    if role in _BEGINNING:
        missing = missing_notes(role, bar, {event.pitch for event in events if event.beat == 0})
        yield from (Event(0, min(1.0, bar.beats), pitch, velocity) for pitch in missing)
