"""The score as a picture: a piano roll, and under it the form that it follows."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media import charts
from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.score import Note, Score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROLES = {
    "drums": ("#5b6270", 1.0),
    "pad": ("#7aa6d8", 0.55),
    "bass": ("#1f7a5c", 0.9),
    "keys": ("#2b59a8", 0.9),
    "counter": ("#e07b1a", 1.0),
    "lead": ("#c4224f", 1.0),
}
"""Colour and opacity of each role, from the hindmost to the foremost."""

_KEYS = ("#e1e4ea", "#eef0f4")
_BAR_LINE = "#c3c8d1"
_OTHER = ("#3a3f4b", 0.8)
_HEIGHT_IN = 6.4
_STRIPS = (7.6, 1.2, 1.5, 0.9, 1.2, 0.5)
"""Heights of roll, drums, emotions, keys, tempo and speech."""

_COLUMNS = 1400
"""Of the roll: about one for a pixel, whatever the length of the piece."""

_GAP_COLUMNS, _GAP_SHARE = 1.5, 0.25
"""What is left free at a note's end, so that repeated notes stay apart: at most this share of it."""

_BAR_LINES, _BAR_NUMBERS = 100, 20
"""At most so many; of a longer piece every second, fourth ... bar has one."""
_BARS_APART = 8
"""Lines farther apart than this tell nothing and are left out."""

Image = NDArray[np.float32]


def to_png(score: Score) -> bytes:
    """A PNG, 1500 × 960 pixels, for pieces of any length; takes about 0.5 s."""
    figure, (roll, drums, emotions, keys, tempo, speech) = charts.figure(
        _HEIGHT_IN, score.duration_s, _STRIPS
    )
    sections = [(section.span, section.emotion) for section in score.sections]
    for axes in (roll, drums, tempo):
        charts.background(axes, sections)
        _bar_lines(axes, score)
    _draw_roll(roll, score)
    _draw_drums(drums, score)
    unnamed = charts.emotions(emotions, sections)
    _legend(roll, score, sorted(unnamed))
    _draw_keys(keys, score)
    _draw_tempo(tempo, score)
    charts.speech(speech, score.speech)
    return charts.png(figure)


def coverage(notes: Sequence[Note], lowest: int, rows: int, duration_s: float) -> Image:
    """How much of each cell the notes fill, louder ones more: (rows, _COLUMNS) in [0, 1].

    A row is a pitch, from `lowest` up; all columns together are the whole piece. The
    filled share grows along a column by the sum of what begins in it less what ends.
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


def _show(axes: "Axes", score: Score, notes: dict[str, list[Note]]) -> None:
    """Draws the notes of each role in its colour, those of a later one over those before it."""
    pitches = [note.pitch for role in notes.values() for note in role] or [60]
    lowest, rows = min(pitches) - 1, max(pitches) - min(pitches) + 3
    for role in sorted(notes, key=_depth):
        colour, opacity = ROLES.get(role, _OTHER)
        image = np.zeros((rows, _COLUMNS, 4), np.float32)
        image[..., :3] = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        image[..., 3] = opacity * coverage(notes[role], lowest, rows, score.duration_s) ** 0.5
        extent = (0, score.duration_s, lowest - 0.5, lowest + rows - 0.5)
        axes.imshow(image, aspect="auto", origin="lower", extent=extent, interpolation="nearest", zorder=2)


def _draw_roll(axes: "Axes", score: Score) -> None:
    notes = _notes_of(score, drums=False)
    _show(axes, score, notes)
    low, high = axes.get_ylim()
    tonics = [pitch for pitch in range(0, 128, 12) if low < pitch < high]
    axes.set_yticks(tonics, [f"C{pitch // 12 - 1}" for pitch in tonics])
    axes.grid(axis="y", color=charts.GRID, lw=0.6)
    axes.set_axisbelow(True)


def _legend(axes: "Axes", score: Score, unnamed: Sequence[str]) -> None:
    """Over the roll: the roles that play, `unnamed` emotions, the style; the numbers of bars."""
    from matplotlib.patches import Patch

    roles = sorted({**_notes_of(score, drums=False), **_notes_of(score, drums=True)}, key=_depth)
    handles = [Patch(color=ROLES.get(role, _OTHER)[0], label=role) for role in reversed(roles)]
    handles += [Patch(color=charts.COLOURS[Emotion(name)], label=name) for name in unnamed]
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 1.06), ncols=len(handles), edgecolor="none",
        fontsize=8, labelcolor=charts.INK, handlelength=1, handleheight=1, borderpad=0, borderaxespad=0,
        columnspacing=1.2,
    )  # fmt: skip
    axes.set_title(score.style, loc="right", size=9, weight="bold", color=charts.INK, pad=16)
    numbers = axes.secondary_xaxis("top")
    numbers.spines[:].set_visible(False)
    numbers.tick_params(colors=charts.INK, labelsize=7, length=0)
    bars = list(enumerate(score.bars, 1))[:: _every(len(score.bars), _BAR_NUMBERS)]
    numbers.set_xticks([bar.start_s for _, bar in bars], [str(number) for number, _ in bars])


def _draw_drums(axes: "Axes", score: Score) -> None:
    """One row for each drum that is played."""
    notes = _notes_of(score, drums=True).get("drums", [])
    rows = {pitch: row for row, pitch in enumerate(sorted({note.pitch for note in notes}))}
    _show(axes, score, {"drums": [note._replace(pitch=rows[note.pitch]) for note in notes]} if notes else {})
    low, high = axes.get_ylim()
    axes.set_yticks([(low + high) / 2], ["drums"])


def _draw_keys(axes: "Axes", score: Score) -> None:
    """One block for each stretch in one key."""
    starts = [0] + [i for i, (a, b) in enumerate(pairwise(score.sections), 1) if a.key != b.key]
    parts: list[charts.Block] = []
    for first, end in pairwise([*starts, len(score.sections)]):
        span = Span(score.sections[first].span.start_s, score.sections[end - 1].span.end_s)
        tonic, mode = str(score.sections[first].key).split()
        parts.append(charts.Block(span, _KEYS[len(parts) % 2], f"{tonic} {mode}", f"{tonic} {mode[:3]}"))
    charts.strip(axes, "key")
    charts.blocks(axes, parts, text_colour=charts.INK)


def _draw_tempo(axes: "Axes", score: Score) -> None:
    times_s = [time_s for bar in score.bars for time_s in (bar.start_s, bar.end_s)]
    tempos_bpm = [60 / beat_s for bar in score.bars for beat_s in (bar.beat_s, bar.end_beat_s)]
    axes.plot(times_s, tempos_bpm, color=charts.INK, lw=1.3, solid_joinstyle="round")
    whole = [beat_s for bar in score.bars if bar.beats >= 1 for beat_s in (bar.beat_s, bar.end_beat_s)]
    low, high = (60 / max(whole), 60 / min(whole)) if whole else (min(tempos_bpm), max(tempos_bpm))
    axes.set_ylim(low - 8, high + 8)
    axes.set_yticks(sorted({round(low), round(high)}))
    axes.set_ylabel("bpm", color=charts.INK, size=8)


def _bar_lines(axes: "Axes", score: Score) -> None:
    apart = _every(len(score.bars), _BAR_LINES)
    for bar in score.bars[::apart] if apart <= _BARS_APART else ():
        axes.axvline(bar.start_s, color=_BAR_LINE, lw=0.5, zorder=1)


def _every(count: int, most: int) -> int:
    """The least power of two that leaves at most `most` of `count`."""
    step = 1
    while count > most * step:
        step *= 2
    return step


def _notes_of(score: Score, drums: bool) -> dict[str, list[Note]]:
    """The notes of each role that plays, either of the drums or of all others."""
    roles = {voice.channel: voice.role for voice in score.voices if (voice.role == "drums") is drums}
    notes: dict[str, list[Note]] = {}
    for note in score.notes:
        if note.channel in roles:
            notes.setdefault(roles[note.channel], []).append(note)
    return notes


def _depth(role: str) -> int:
    return list(ROLES).index(role) if role in ROLES else -1
