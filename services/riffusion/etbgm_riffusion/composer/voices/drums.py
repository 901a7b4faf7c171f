"""Percussion: patterns as musicians write them, eighth by eighth."""

from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part, onsets

_KICK, _SNARE, _RIM, _HAT, _OPEN_HAT = 36, 38, 37, 42, 46
_LOW_TOM, _MIDDLE_TOM, _HIGH_TOM, _CRASH, _SHAKER = 41, 45, 48, 49, 70
_LOUDNESS = {"X": 4, "x": -8, "o": -24}

_PATTERNS: dict[str, tuple[tuple[tuple[int, str], ...], ...]] = {
    "brushes": (
        ((_SHAKER, "o.x.o.x."),),
        ((_KICK, "x...x..."), (_RIM, "..x...x."), (_SHAKER, "oxoxoxox")),
    ),
    "machine": (
        ((_HAT, "o.o.o.o."), (_KICK, "x.......")),
        ((_KICK, "X...X..x"), (_SNARE, "..X...X."), (_HAT, "xoxoxoxo")),
        ((_KICK, "X.X.X.X."), (_SNARE, "..X...X."), (_HAT, "oXoXoXoX"), (_OPEN_HAT, ".......x")),
    ),
    "orchestra": (
        ((_LOW_TOM, "x......o"),),
        ((_LOW_TOM, "X..x..x."), (_SHAKER, "oxoxoxox")),
        ((_LOW_TOM, "X.xxX.xx"), (_MIDDLE_TOM, "..X...X."), (_KICK, "X...X...")),
    ),
}
"""Per kit, from the least drive to the most: drum and eighths of a bar of four beats.
X loud, x medium, o soft."""

_FILL = ((0, _HIGH_TOM), (0.25, _HIGH_TOM), (0.5, _MIDDLE_TOM), (0.75, _LOW_TOM))


def drums(bar: Bar, part: Part) -> list[Event]:
    """The pattern for the emotion's drive; a fill before a boundary, a cymbal after it."""
    patterns = _PATTERNS[part.style.kit]
    drive = min(part.profile.drive, part.style.drive, len(patterns))
    if not drive or bar.beats < 2:
        return []
    if part.closing:
        return [Event(0, 1, _CRASH, part.velocity - 20)]
    strokes = [
        Event(beat, 0.4, drum, part.velocity + _LOUDNESS[mark])
        for drum, marks in patterns[drive - 1]
        for beat, mark in zip(onsets(bar.beats, 0.5), marks, strict=False)
        if mark in _LOUDNESS
    ]
    if bar.number == 0 and drive > 1:
        strokes.append(Event(0, 2, _CRASH, part.velocity - 12))
    if bar.remaining == 0 and drive > 1:
        last = bar.beats - 1
        strokes = [stroke for stroke in strokes if stroke.beat < last]
        strokes += [Event(last + beat, 0.25, drum, part.velocity - 6) for beat, drum in _FILL]
    return strokes
