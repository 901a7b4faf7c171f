"""Percussion: a groove of the style's kit, varied in every phrase, with fills between phrases."""

from etbgm_riffusion.composer.chance import pick, turn
from etbgm_riffusion.composer.grooves import (
    DRUMS,
    HEAVY,
    TIMPANI,
    Groove,
    Stroke,
    fills_of,
    grooves_of,
)
from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part

_TRIPLET_FILL = (("high", 0.0), ("mid", 1 / 3), ("low", 2 / 3))
"""Fill before a metric modulation by thirds; it plays the new beat."""

_GHOST, _GHOST_ACCENT = 0.5, -20
"""Probability that the first bar of a phrase gets a soft stroke more, and its accent; others always do."""
_GHOST_BEATS = (0.5, 1, 1.5, 2, 2.5, 3, 3.5)

_FULL_FROM = 2
"""Drive from which a cymbal opens the piece and fills are loud."""


def drums(bar: Bar, part: Part) -> list[Event]:
    """Writes the groove for the mood's drive, with fills before phrases and a cymbal after a boundary."""
    drive = min(round(part.mood.drive), part.style.drive)
    if part.stinger and part.style.drive:
        return [*_bar_of(_groove(max(1, drive), part), bar, part), *_sting(part, bar)]
    if not drive or bar.beats < 2:
        return []
    if part.closing:
        return [_event(Stroke("crash", 0, -20), bar, part, 1)]
    strokes = _bar_of(_groove(drive, part), bar, part)
    if bar.number == 0 and (bar.section or drive >= _FULL_FROM):
        strokes.append(_event(Stroke("crash", 0, -12), bar, part, 2))
    if bar.number % PHRASE_BARS == PHRASE_BARS - 1 or bar.remaining == 0:
        return _with_fill(strokes, bar, part, drive)
    return strokes


def _groove(drive: int, part: Part) -> Groove:
    """Returns the piece's groove for this drive; heavy moods play in half time."""
    found = grooves_of(part.style.kit, HEAVY if part.profile.half_time else drive)
    return found[turn(part.random_seed, len(found), "groove", part.style.kit)]


def _bar_of(groove: Groove, bar: Bar, part: Part) -> list[Event]:
    """Returns the groove's bars in turn; the third of a phrase is varied, others may get a ghost stroke."""
    place = bar.number % PHRASE_BARS
    strokes = [stroke for stroke in groove[place % 2] if stroke.beat < bar.beats]
    if place == 2:
        strokes = _varied(strokes, part)
    if place or part.chance.random() < _GHOST:
        drum = pick(part.chance, [stroke.drum for stroke in strokes] or ["kick"])
        taken = {stroke.beat for stroke in strokes if stroke.drum == drum}
        free = [beat for beat in _GHOST_BEATS if beat < bar.beats and beat not in taken]
        strokes += [Stroke(drum, pick(part.chance, free), _GHOST_ACCENT)] if free else []
    return [_event(stroke, bar, part) for stroke in dict.fromkeys(strokes)]


def _varied(strokes: list[Stroke], part: Part) -> list[Stroke]:
    """Leaves out one stroke off the first beat, and doubles another a half beat later."""
    inner = [stroke for stroke in strokes if stroke.beat]
    if not inner:
        return strokes
    left, doubled = pick(part.chance, inner), pick(part.chance, inner)
    more = Stroke(doubled.drum, doubled.beat + 0.25, min(doubled.accent, 0) - 8)
    return [*(stroke for stroke in strokes if stroke != left), more]


def _with_fill(strokes: list[Event], bar: Bar, part: Part, drive: int) -> list[Event]:
    """Ends the bar with a fill, softer when there is little percussion."""
    if part.following and _by_thirds(bar.end_beat_s / part.following.beat_s) and bar.remaining == 0:
        fill, length = tuple(Stroke(drum, beat, 0) for drum, beat in _TRIPLET_FILL), 1.0
    else:
        fill, length = pick(part.chance, fills_of(part.style.kit))
    start = bar.beats - min(length, bar.beats / 2)
    soft = -6 if drive >= _FULL_FROM else -16
    played = [stroke._replace(beat=start + stroke.beat, accent=stroke.accent + 8 + soft) for stroke in fill]
    kept = [stroke for stroke in strokes if stroke.beat < start]
    return kept + [_event(stroke, bar, part, 0.25) for stroke in played if stroke.beat < bar.beats]


def _by_thirds(ratio: float) -> bool:
    return any(abs(ratio / third - 1) < 0.01 for third in (4 / 3, 3 / 4, 3 / 2, 2 / 3))


def _sting(part: Part, bar: Bar) -> list[Event]:
    """Returns an accent that marks a sudden change: the stinger of film music."""
    return [
        _event(Stroke(drum, 0, min(10, 120 - part.velocity)), bar, part, 2)
        for drum in ("crash", "kick", _low(part))
    ]


def _low(part: Part) -> str:
    return "timp" if part.style.kit == "orchestra" else "low"


def _event(stroke: Stroke, bar: Bar, part: Part, length: float = 0.4) -> Event:
    return Event(stroke.beat, length, _pitch(stroke.drum, bar, part), part.velocity + stroke.accent)


def _pitch(drum: str, bar: Bar, part: Part) -> int:
    """Returns the drum's key; timpani, which are tuned, play the chord."""
    tuned = {"timp": bar.chord.root, "timp5": bar.chord.fifth}
    if part.style.kit == "orchestra":
        tuned |= {"low": bar.chord.root, "mid": bar.chord.fifth, "high": bar.chord.root}
    if drum in tuned:
        return next(key for key in TIMPANI if key % 12 == tuned[drum])
    return DRUMS[drum]
