"""Percussion: patterns in drummers' notation, by eighths or sixteenths."""

from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.voices.part import Part, onsets

_KICK, _RIM, _SNARE, _HAT, _PEDAL, _OPEN_HAT = 36, 37, 38, 42, 44, 46
_LOW_TOM, _MIDDLE_TOM, _HIGH_TOM, _CRASH, _RIDE, _SHAKER = 41, 45, 48, 49, 51, 70
DRUMS = tuple(sorted((
    _KICK, _RIM, _SNARE, _HAT, _PEDAL, _OPEN_HAT,
    _LOW_TOM, _MIDDLE_TOM, _HIGH_TOM, _CRASH, _RIDE, _SHAKER,
)))  # fmt: skip
"""All drums that are played, in General MIDI's numbering."""

_LOUDNESS = {"X": 4, "x": -8, "o": -24}

_EIGHTHS = 8
_Patterns = tuple[tuple[tuple[int, str], ...], ...]

_KITS: dict[str, _Patterns] = {
    "brushes": (
        ((_SHAKER, "o.x.o.x."), (_KICK, "o.......")),
        ((_KICK, "x...x..."), (_RIM, "..x...x."), (_SHAKER, "oxoxoxox")),
        ((_KICK, "X..xX..."), (_SNARE, "..X...X."), (_SHAKER, "xXxXxXxX"), (_HAT, "x.x.x.x.")),
    ),
    "jazz": (
        ((_RIDE, "o...o..."), (_PEDAL, "..o...o.")),
        ((_RIDE, "x.xox.xo"), (_PEDAL, "..x...x."), (_KICK, "o.o.o.o."), (_SNARE, "...o....")),
        ((_RIDE, "X.XxX.Xx"), (_PEDAL, "..X...X."), (_KICK, "x.x.x.x."), (_SNARE, "..x..x.o")),
    ),
    "lofi": (
        ((_KICK, "x.......x......."), (_HAT, "o...o...o...o...")),
        ((_KICK, "X......x..X....."), (_SNARE, "....x.......x..."), (_HAT, "x.o.x.o.x.o.x.oo")),
        ((_KICK, "X..x...xX.x....."), (_SNARE, "....X.......X..."), (_HAT, "XoxoXoxoXoxoXoxx")),
    ),
    "machine": (
        ((_HAT, "o.o.o.o."), (_KICK, "x...o...")),
        ((_KICK, "X...X..x"), (_SNARE, "..X...X."), (_HAT, "xoxoxoxo")),
        ((_KICK, "X.X.X.X."), (_SNARE, "..X...X."), (_HAT, "oXoXoXoX"), (_OPEN_HAT, ".......x")),
    ),
    "orchestra": (
        ((_LOW_TOM, "x...o..."),),
        ((_LOW_TOM, "X..xx.x."), (_SHAKER, "oxoxoxox")),
        ((_LOW_TOM, "X.xxX.xx"), (_SNARE, "..X...Xx"), (_KICK, "X...X..."), (_SHAKER, "xXxXxXxX")),
    ),
    "pop": (
        ((_KICK, "x...x..."), (_HAT, "o.o.o.o."), (_RIM, "..o...o.")),
        ((_KICK, "X...Xx.."), (_SNARE, "..X...X."), (_HAT, "xoxoxoxo")),
        ((_KICK, "X.x.X.x."), (_SNARE, "..X...X."), (_HAT, "XxXxXxXx"), (_OPEN_HAT, ".......x")),
    ),
}
"""Per kit, from the least drive to the most: each drum and its bar of four beats in eighths or
sixteenths. X is loud, x medium, o soft."""

_FILLS = (
    ((0, _HIGH_TOM), (0.25, _HIGH_TOM), (0.5, _MIDDLE_TOM), (0.75, _LOW_TOM)),
    ((0, _SNARE), (0.25, _SNARE), (0.5, _SNARE), (0.75, _SNARE)),
    ((0, _SNARE), (0.5, _HIGH_TOM), (0.75, _LOW_TOM)),
)
_TRIPLET_FILL = ((0, _HIGH_TOM), (1 / 3, _MIDDLE_TOM), (2 / 3, _LOW_TOM))
"""Fill before a metric modulation by thirds; it plays the new beat."""


def drums(bar: Bar, part: Part) -> list[Event]:
    """Writes the pattern for the mood's drive, with a fill before a boundary and a cymbal after it."""
    patterns = _KITS[part.style.kit]
    drive = min(round(part.mood.drive), part.style.drive, len(patterns))
    if part.stinger and part.style.drive:
        return [*_pattern(patterns, max(1, drive), bar, part), *_sting(part)]
    if not drive or bar.beats < 2:
        return []
    if part.closing:
        return [Event(0, 1, _CRASH, part.velocity - 20)]
    strokes = _pattern(patterns, drive, bar, part)
    if bar.number == 0 and drive > 1:
        strokes.append(Event(0, 2, _CRASH, part.velocity - 12))
    if bar.remaining == 0 and drive > 1:
        return _with_fill(strokes, bar, part)
    return strokes


def _pattern(patterns: _Patterns, drive: int, bar: Bar, part: Part) -> list[Event]:
    """Returns the pattern with occasional extra soft strokes, mostly at a phrase's end."""
    rows = patterns[drive - 1]
    strokes = []
    for drum, marks in rows:
        step = 0.5 if len(marks) == _EIGHTHS else 0.25
        for beat, mark in zip(onsets(bar.beats, step), marks, strict=False):
            if mark in _LOUDNESS:
                strokes.append(Event(beat, 0.4, drum, part.velocity + _LOUDNESS[mark]))
    ends = bar.number % PHRASE_BARS == PHRASE_BARS - 1
    if part.chance.random() < (0.8 if ends else 0.25):
        off = (bar.beats - 0.5) if ends else (1.5, 2.5, 3.5)[int(part.chance.random() * 3)] % bar.beats
        strokes.append(Event(off, 0.4, rows[0][0], part.velocity - 20))
    return strokes


def _with_fill(strokes: list[Event], bar: Bar, part: Part) -> list[Event]:
    last = bar.beats - 1
    fill = _FILLS[part.variant % len(_FILLS)]
    if part.following and _by_thirds(bar.end_beat_s / part.following.beat_s):
        fill = _TRIPLET_FILL
    kept = [stroke for stroke in strokes if stroke.beat < last]
    return kept + [Event(last + beat, 0.25, drum, part.velocity - 6) for beat, drum in fill]


def _by_thirds(ratio: float) -> bool:
    return any(abs(ratio / third - 1) < 0.01 for third in (4 / 3, 3 / 4, 3 / 2, 2 / 3))


def _sting(part: Part) -> list[Event]:
    """Returns an accent that marks a sudden change: the stinger of film music."""
    return [Event(0, 2, drum, min(120, part.velocity + 10)) for drum in (_CRASH, _KICK, _LOW_TOM)]
