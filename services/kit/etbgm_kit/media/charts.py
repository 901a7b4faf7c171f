"""What the pictures of a result have in common: a figure over time, its strips and colours.

Needs the extra `charts`.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etbgm_kit.types import Emotion, Span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    Emotion.ANGER: "#e4573d",
    Emotion.DISGUST: "#7d9b3c",
    Emotion.FEAR: "#8a63b8",
    Emotion.JOY: "#f2b632",
    Emotion.NEUTRAL: "#b4bac4",
    Emotion.SADNESS: "#4a7fc1",
    Emotion.SURPRISE: "#35b3a7",
}
INK, SPEECH, GRID = "#3a3f4b", "#2f3542", "#d9dce2"
WIDTH_IN, DPI = 10.0, 150

_LETTER_IN, _LINE_IN = 0.07, 0.13
"""Room that a letter and a line of bold text of _TEXT_SIZE take."""
_TEXT_SIZE = 8
_MARGINS = 0.9
"""Share of the figure that axes fill; its labels take the rest."""
_STRETCH = 1.25
"""By so much axes grow when the layout is made, which is as the figure is drawn."""

_TICK_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MOST_TICKS = 12


class Block(NamedTuple):
    """A coloured stretch of a strip and its text, `brief` where the whole has no room."""

    span: Span
    colour: str
    text: str
    brief: str = ""


def figure(height_in: float, duration_s: float, ratios: Sequence[float]) -> tuple["Figure", list["Axes"]]:
    """A figure WIDTH_IN wide and its axes over [0, duration_s), one below the other, heights as `ratios`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(WIDTH_IN, height_in), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(drawn)
    every: list[Axes] = list(drawn.subplots(len(ratios), 1, sharex=True, height_ratios=ratios))
    for axes in every:
        axes.spines[:].set_visible(False)
        axes.tick_params(colors=INK, labelsize=8, length=0)
        axes.tick_params(axis="x", labelbottom=axes is every[-1])
    every[-1].set_xlim(0, duration_s)
    _time_axis(every[-1], duration_s)
    return drawn, every


def _time_axis(axes: "Axes", duration_s: float) -> None:
    steps = [step for step in _TICK_STEPS_S if duration_s <= step * _MOST_TICKS] or [duration_s / _MOST_TICKS]
    axes.set_xticks(np.arange(0, duration_s, steps[0]))
    axes.xaxis.set_major_formatter(lambda time_s, _: _clock(time_s))
    axes.set_xlabel("time", color=INK, size=9)


def _clock(time_s: float) -> str:
    """0:05, 1:02:05, and 0:00.5 between seconds."""
    minutes, seconds = divmod(time_s, 60)
    hours, minutes = divmod(int(minutes), 60)
    clock = f"{minutes}:{seconds:0{2 if seconds.is_integer() else 4}.{0 if seconds.is_integer() else 1}f}"
    return f"{hours}:{clock:0>5}" if hours else clock


def strip(axes: "Axes", name: str) -> None:
    """Makes the axes a strip with this name and the height [0, 1]."""
    axes.set_ylim(0, 1)
    axes.set_yticks([0.5], [name])


def blocks(axes: "Axes", parts: Sequence[Block], text_colour: str = "white") -> set[str]:
    """Fills the strip with `parts`; returns the texts that had no room anywhere."""
    duration_s = axes.get_xlim()[1]
    height_in = axes.get_window_extent().height / DPI * _STRETCH
    axes.bar(
        [part.span.start_s for part in parts],
        height=1,
        width=[part.span.duration_s for part in parts],
        align="edge",
        color=[part.colour for part in parts],
    )
    written = set()
    for part in parts:
        width_in = part.span.duration_s / duration_s * WIDTH_IN * _MARGINS
        if fitting := _fitting(part, width_in, height_in):
            text, rotation = fitting
            middle_s = part.span.start_s + part.span.duration_s / 2
            axes.text(
                middle_s, 0.5, text, ha="center", va="center", color=text_colour, size=_TEXT_SIZE,
                weight="bold", rotation=rotation,
            )  # fmt: skip
            written.add(part.text)
    return {part.text for part in parts} - written


def _fitting(part: Block, width_in: float, height_in: float) -> tuple[str, int] | None:
    """The text that fits and its rotation."""
    for text in filter(None, (part.text, part.brief)):
        if len(text) * _LETTER_IN < width_in:
            return text, 0
        if len(text) * _LETTER_IN < height_in and width_in > _LINE_IN:
            return text, 90
    return None


def emotions(axes: "Axes", parts: Sequence[tuple[Span, Emotion]]) -> set[str]:
    """The strip of emotions; returns those whose name had no room anywhere."""
    strip(axes, "emotion")
    return blocks(axes, [Block(span, COLOURS[emotion], emotion) for span, emotion in parts])


def background(axes: "Axes", parts: Sequence[tuple[Span, Emotion]]) -> None:
    """The emotions' colours, pale, behind everything."""
    for span, emotion in parts:
        axes.axvspan(span.start_s, span.end_s, color=COLOURS[emotion], alpha=0.13, lw=0)


def speech(axes: "Axes", spans: Sequence[Span]) -> None:
    """The strip of speech."""
    axes.broken_barh([(span.start_s, span.duration_s) for span in spans], (0.15, 0.7), color=SPEECH)
    strip(axes, "speech")


def png(drawn: "Figure") -> bytes:
    """The figure as a PNG: the same figure gives the same bytes."""
    picture = io.BytesIO()
    drawn.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()
