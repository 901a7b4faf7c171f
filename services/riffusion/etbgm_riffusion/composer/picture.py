"""Draws the score as a picture: a piano roll, and the form below it."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media import charts
from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.score import Note, Score

ROLES = {
    "drums": ("#5b6270", 1.0),
    "pad": ("#7aa6d8", 0.55),
    "bass": ("#1f7a5c", 0.9),
    "keys": ("#2b59a8", 0.9),
    "counter": ("#e07b1a", 1.0),
    "lead": ("#c4224f", 1.0),
}
"""Colour and opacity of each role, from back to front."""

_KEYS = ("#e1e4ea", "#eef0f4")
_BAR_LINE = "#c3c8d1"
_OTHER = ("#3a3f4b", 0.8)
_HEIGHT = 960
_TOP = 56
"""Pixels above the roll, for the legend and the bar numbers."""
_TEMPO_MARGIN_BPM, _TEMPO_APART_BPM = 8, 4
"""Margin below and above the tempos; tempos that differ by less than the second share one label."""
_STRIPS = (7.6, 1.2, 1.5, 0.9, 1.2, 0.5)
"""Heights of roll, drums, emotions, keys, tempo and speech."""

_COLUMNS = charts.PLOT_WIDTH
"""Columns of the roll: one per pixel, regardless of the length of the piece."""

_GAP_COLUMNS, _GAP_SHARE = 1.5, 0.25
"""Gap at a note's end, so that repeated notes stay apart: at most this fraction of the note."""

_BAR_LINES, _BAR_NUMBERS = 100, 20
"""Maximum numbers; in a longer piece, only every second, fourth ... bar is marked."""
_BARS_APART = 8
"""If the lines are more bars apart than this, they are not informative and are left out."""

Image = NDArray[np.float32]


def to_png(score: Score) -> bytes:
    """Returns a PNG, 1500 × 960 pixels, for pieces of any length."""
    figure = charts.Figure(_HEIGHT, score.duration_s, _STRIPS, _TOP)
    roll, drums, emotions, keys, tempo, speech = figure.rows
    sections = [(section.span, section.emotion) for section in score.sections]
    for row in (roll, drums, tempo):
        row.background(sections)
        _draw_bar_lines(row, score)
    _draw_roll(roll, score)
    _draw_drums(drums, score)
    unnamed = emotions.emotions(sections)
    _draw_legend(figure, score, sorted(unnamed))
    _draw_keys(keys, score)
    _draw_tempo(tempo, score)
    speech.speech(score.speech)
    return figure.png()


def coverage(notes: Sequence[Note], lowest: int, rows: int, duration_s: float) -> Image:
    """Returns how much of each cell the notes fill, louder ones more: (rows, _COLUMNS) in [0, 1].

    A row is a pitch, from `lowest` up; the columns span the whole piece. The filled fraction grows along
    the columns by the sum of what begins in each minus what ends.
    """
    column_s = duration_s / _COLUMNS
    starts, ends, _, pitches, velocities = np.array(notes, np.float64).reshape(-1, 5).T
    lengths = (ends - starts) / column_s
    starts = starts / column_s
    ends = starts + lengths - np.minimum(_GAP_COLUMNS, _GAP_SHARE * lengths)
    weights = 0.45 + 0.55 * velocities / 127
    change = np.zeros((rows, _COLUMNS + 2))
    for edges, sign in ((starts, 1), (ends, -1)):
        columns = np.clip(edges.astype(np.intp), 0, _COLUMNS)
        rest = columns + 1 - edges
        where = pitches.astype(np.intp) - lowest
        np.add.at(change, (where, columns), sign * weights * rest)
        np.add.at(change, (where, columns + 1), sign * weights * (1 - rest))
    return np.clip(np.cumsum(change, axis=1)[:, :_COLUMNS], 0, 1).astype(np.float32)


def _draw_notes(row: charts.Row, score: Score, notes: dict[str, list[Note]], lowest: int, rows: int) -> None:
    """Draws the notes of each role in its colour, later roles over earlier ones."""
    for role in sorted(notes, key=_depth):
        colour, opacity = ROLES.get(role, _OTHER)
        row.cells(opacity * coverage(notes[role], lowest, rows, score.duration_s) ** 0.5, colour)


def _draw_roll(row: charts.Row, score: Score) -> None:
    notes = _notes_of(score, drums=False)
    pitches = [note.pitch for role in notes.values() for note in role] or [60]
    lowest, rows = min(pitches) - 1, max(pitches) - min(pitches) + 3
    for pitch in range(-(-lowest // 12) * 12, lowest + rows, 12):
        y = row.bottom - (pitch - lowest + 0.5) / rows * row.height
        row.horizontal(y)
        row.tick(y, f"C{pitch // 12 - 1}")
    _draw_notes(row, score, notes, lowest, rows)


def _draw_legend(figure: charts.Figure, score: Score, unnamed: Sequence[str]) -> None:
    """Draws above the roll: the roles that play, the `unnamed` emotions, the style and the bar numbers."""
    roles = sorted({**_notes_of(score, drums=False), **_notes_of(score, drums=True)}, key=_depth)
    entries = [(role, ROLES.get(role, _OTHER)[0]) for role in reversed(roles)]
    entries += [(name, charts.COLOURS[Emotion(name)]) for name in unnamed]
    figure.legend(figure.x(0), 18, entries)
    figure.text(figure.x(score.duration_s), 18, score.style, "rm", charts.TEXT + 2, bold=True)
    bars = list(enumerate(score.bars, 1))[:: _every(len(score.bars), _BAR_NUMBERS)]
    for number, bar in bars:
        figure.text(figure.x(bar.start_s), _TOP - 4, str(number), "ms", charts.SMALL)


def _draw_drums(row: charts.Row, score: Score) -> None:
    """Draws one row for each drum that is played."""
    notes = _notes_of(score, drums=True).get("drums", [])
    rows = {pitch: place for place, pitch in enumerate(sorted({note.pitch for note in notes}))}
    if notes:
        placed = [note._replace(pitch=rows[note.pitch]) for note in notes]
        _draw_notes(row, score, {"drums": placed}, -1, len(rows) + 2)
    row.name("drums")


def _draw_keys(row: charts.Row, score: Score) -> None:
    """Draws one block for each stretch in one key."""
    starts = [0] + [i for i, (a, b) in enumerate(pairwise(score.sections), 1) if a.key != b.key]
    parts: list[charts.Block] = []
    for first, end in pairwise([*starts, len(score.sections)]):
        span = Span(score.sections[first].span.start_s, score.sections[end - 1].span.end_s)
        tonic, mode = str(score.sections[first].key).split()
        parts.append(charts.Block(span, _KEYS[len(parts) % 2], f"{tonic} {mode}", f"{tonic} {mode[:3]}"))
    row.name("key")
    row.blocks(parts, charts.INK)


def _draw_tempo(row: charts.Row, score: Score) -> None:
    times_s = np.array([time_s for bar in score.bars for time_s in (bar.start_s, bar.end_s)])
    tempos_bpm = np.array([60 / beat_s for bar in score.bars for beat_s in (bar.beat_s, bar.end_beat_s)])
    whole = [beat_s for bar in score.bars if bar.beats >= 1 for beat_s in (bar.beat_s, bar.end_beat_s)]
    low, high = (60 / max(whole), 60 / min(whole)) if whole else (tempos_bpm.min(), tempos_bpm.max())
    floor, ceiling = low - _TEMPO_MARGIN_BPM, high + _TEMPO_MARGIN_BPM
    row.curve(times_s, np.clip((tempos_bpm - floor) / (ceiling - floor), 0, 1), charts.INK)
    ends = {round(low), round(high)}
    for tempo_bpm in ends if high - low > _TEMPO_APART_BPM else {round(high)}:
        y = row.bottom - (tempo_bpm - floor) / (ceiling - floor) * row.height
        row.tick(min(max(y, row.top + 9), row.bottom - 9), f"{tempo_bpm}")
    row.axis("bpm")


def _draw_bar_lines(row: charts.Row, score: Score) -> None:
    apart = _every(len(score.bars), _BAR_LINES)
    for bar in score.bars[::apart] if apart <= _BARS_APART else ():
        row.vertical(bar.start_s, _BAR_LINE)


def _every(count: int, most: int) -> int:
    """Returns the smallest power of two that leaves at most `most` of `count`."""
    step = 1
    while count > most * step:
        step *= 2
    return step


def _notes_of(score: Score, drums: bool) -> dict[str, list[Note]]:
    """Returns the notes of each role that plays, either the drums or all others."""
    roles = {voice.channel: voice.role for voice in score.voices if (voice.role == "drums") is drums}
    notes: dict[str, list[Note]] = {}
    for note in score.notes:
        if note.channel in roles:
            notes.setdefault(roles[note.channel], []).append(note)
    return notes


def _depth(role: str) -> int:
    return list(ROLES).index(role) if role in ROLES else -1
