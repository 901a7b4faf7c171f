"""Where someone speaks, and how the arrangement steps back there."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from etbgm_kit.types import Span
from etbgm_riffusion.composer.registers import ABOVE_PAD
from etbgm_riffusion.composer.score import Bar, Event

LEAD_IN_S = 0.2
"""The music gives way this long before the first syllable."""

BRIDGED_S = 1.0
"""Pauses shorter than this count as speech: an answer by the music would only disturb."""

_CEILING = 71
"""Highest pitch of lead and accompaniment under speech, B4 (494 Hz): below the
consonants and the upper formants at 1-4 kHz, which carry intelligibility (ANSI S3.5-1997,
band importance)."""

_PAD_CEILING = 62
"""The same for the pad, so that the lead has room above it."""

_LOWERED = ("lead", "counter", "keys", "pad")
_ON_THE_BEAT = ("keys", "bass", "drums")


class Speech:
    """Looks up whether someone speaks at a time."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[float] = []
        self._ends: list[float] = []
        for span in spans:
            start_s = span.start_s - LEAD_IN_S
            if self._ends and start_s - self._ends[-1] < BRIDGED_S:
                self._ends[-1] = max(self._ends[-1], span.end_s)
            else:
                self._starts.append(start_s)
                self._ends.append(span.end_s)

    @property
    def spans(self) -> tuple[Span, ...]:
        """Spans in which the music steps back: lead-in, speech and bridged pauses."""
        return tuple(
            Span(max(0.0, start_s), end_s) for start_s, end_s in zip(self._starts, self._ends, strict=True)
        )

    def sounds_at(self, time_s: float) -> bool:
        """Returns whether there is speech or a bridged pause at `time_s`."""
        index = bisect_right(self._starts, time_s) - 1
        return index >= 0 and time_s < self._ends[index]

    def pauses_in(self, bar: Bar) -> bool:
        """Returns whether the piece has speech but most of `bar` is in a pause."""
        return bool(self._starts) and not any(
            self.sounds_at(bar.time_s(beat)) for beat in (0.0, bar.beats / 2)
        )


def thin(role: str, events: Sequence[Event], bar: Bar, speech: Speech) -> list[Event]:
    """Returns a voice's events, reduced where speech sounds.

    There, the lead keeps one long note every other bar, and accompaniment, bass and percussion keep only
    what falls on the beat. The pitched voices except the bass stay at or below `_CEILING`. Their level
    stays the same: the mixer alone decides how loud the music is under speech and in pauses.
    """
    left: list[Event] = []
    for event in events:
        spoken = speech.sounds_at(bar.time_s(event.beat))
        kept = _step_back(role, event, bar) if spoken else event
        if kept and (not spoken or (kept.beat, kept.pitch) not in {(e.beat, e.pitch) for e in left}):
            left.append(kept)
    return left


def _step_back(role: str, event: Event, bar: Bar) -> Event | None:
    if role == "lead" and (event.beat > 0 or bar.number % 2):
        return None
    if role in _ON_THE_BEAT and event.beat % 1:
        return None
    if role == "lead":
        return Event(event.beat, bar.beats, _above_pad(event.pitch, bar), event.velocity)
    pitch = event.pitch
    if role in _LOWERED:
        pitch = _folded(pitch, _PAD_CEILING if role == "pad" else _CEILING)
    return Event(event.beat, event.length, pitch, event.velocity)


def _folded(pitch: int, ceiling: int) -> int:
    """Returns `pitch` as many octaves lower as it takes to be at most `ceiling`."""
    return pitch - 12 * max(0, -((ceiling - pitch) // 12))


def _above_pad(pitch: int, bar: Bar) -> int:
    """Returns `pitch` below the ceiling and above the pad, or another note of the chord that is there."""
    top = max(_folded(note, _PAD_CEILING) for note in bar.voicing[1:])
    free = range(top + ABOVE_PAD, _CEILING + 1)
    same = [p for p in free if p % 12 == pitch % 12]
    return max(same or [p for p in free if p % 12 in bar.chord.notes[:3]])
