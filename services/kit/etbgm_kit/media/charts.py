"""Shared parts of a result's pictures: rows over one time axis, strips and colours.

Draws with Pillow in pixels; a picture takes about 0.05 s. Requires the extra `charts`.
"""

import io
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from etbgm_kit.types import Emotion, Span

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

PLOT_WIDTH = 1400
"""Pixels along the time axis of every picture."""
WIDTH = 1500
_LEFT = 88
_BOTTOM = 52
_GAP = 7
"""Pixels: left of the time axis, below the rows, between two rows."""

TEXT, SMALL = 18, 16
"""Sizes of text in pixels."""
_BOLD = 0.5
"""Stroke width that makes text bold."""
_PALE = 0.13
"""Opacity of the emotion colours behind a row."""
_PADDING = 6
"""Pixels by which a block must exceed its text."""
_FINER = 3
"""Curves are drawn larger by this factor and scaled down, so that they look smooth."""

_TICK_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MOST_TICKS = 12

Values = NDArray[np.float64]


class Block(NamedTuple):
    """A coloured part of a strip and its text; `brief` replaces `text` where `text` does not fit."""

    span: Span
    colour: str
    text: str
    brief: str = ""


class Figure:
    """A white picture with rows over [0, duration_s), stacked, with heights in proportion to `ratios`.

    `top` pixels above the rows stay free. `texts` collects every text that is written.
    """

    def __init__(self, height: int, duration_s: float, ratios: Sequence[float], top: int = 14) -> None:
        self.duration_s, self.height = duration_s, height
        self.image = Image.new("RGB", (WIDTH, height), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.texts: list[str] = []
        room = height - top - _BOTTOM - _GAP * (len(ratios) - 1)
        edges = np.rint(np.cumsum([0, *ratios]) / sum(ratios) * room).astype(int).tolist()
        self.rows = [
            Row(self, top + first + _GAP * i, top + last + _GAP * i)
            for i, (first, last) in enumerate(pairwise(edges))
        ]
        self._time_axis()

    def x(self, time_s: float) -> float:
        """The horizontal position of a time, in pixels."""
        return _LEFT + time_s / self.duration_s * PLOT_WIDTH

    def text(
        self, x: float, y: float, text: str, anchor: str = "mm", size: int = TEXT, colour: str = INK,
        bold: bool = False,
    ) -> None:  # fmt: skip
        """Writes `text` at (x, y), positioned by a Pillow `anchor` ("mm": centred)."""
        self.draw.text((x, y), text, colour, font(size), anchor, stroke_width=_BOLD if bold else 0)
        self.texts.append(text)

    def upright(
        self, x: float, y: float, text: str, size: int = TEXT, colour: str = INK, bold: bool = False
    ) -> None:
        """Writes `text` upwards, centred at (x, y)."""
        stroke = _BOLD if bold else 0
        left, top, right, bottom = font(size).getbbox(text, stroke_width=stroke)
        mask = Image.new("L", (round(right - left) + 2, round(bottom - top) + 2))
        ImageDraw.Draw(mask).text((1 - left, 1 - top), text, 255, font(size), stroke_width=stroke)
        mask = mask.transpose(Image.Transpose.ROTATE_90)
        self.image.paste(colour, (round(x - mask.width / 2), round(y - mask.height / 2)), mask)
        self.texts.append(text)

    def legend(self, x: float, y: float, entries: Sequence[tuple[str, str]]) -> None:
        """Draws (name, colour) entries in a line, starting at `x`."""
        for name, colour in entries:
            self.draw.rectangle((x, y - 6, x + 12, y + 6), colour)
            self.text(x + 18, y, name, "lm")
            x += font(TEXT).getlength(name) + 36

    def png(self) -> bytes:
        """The picture as a PNG. The same picture gives the same bytes."""
        picture = io.BytesIO()
        self.image.save(picture, "PNG", compress_level=4)
        return picture.getvalue()

    def _time_axis(self) -> None:
        bottom = self.rows[-1].bottom
        for time_s in ticks_s(self.duration_s):
            self.text(self.x(time_s), bottom + 6, clock(time_s), "ma")
        self.text(_LEFT + PLOT_WIDTH / 2, self.height - 3, "time", "md")


class Row:
    """A row of a figure that shows one quantity over time."""

    def __init__(self, figure: Figure, top: int, bottom: int) -> None:
        """The row extends from `top` down to `bottom`, in pixels."""
        self.figure, self.top, self.bottom = figure, top, bottom
        self.height = bottom - top

    def tick(self, y: float, text: str) -> None:
        """Writes `text` to the left of the row at `y` pixels."""
        self.figure.text(_LEFT - 8, y, text, "rm")

    def name(self, text: str) -> None:
        """Writes `text` to the left of the row, vertically centred."""
        self.tick((self.top + self.bottom) / 2, text)

    def axis(self, text: str) -> None:
        """Writes `text` upwards at the left edge of the picture."""
        self.figure.upright(18, (self.top + self.bottom) / 2, text)

    def bar(self, span: Span, colour: str, low: float = 0.0, high: float = 1.0) -> None:
        """Fills the row over `span` from `low` to `high`, as fractions of its height.

        Draws nothing if that is less than a pixel.
        """
        left, right = round(self.figure.x(span.start_s)), round(self.figure.x(span.end_s)) - 1
        top, bottom = self.bottom - round(high * self.height), self.bottom - round(low * self.height) - 1
        if top <= bottom:
            self.figure.draw.rectangle((left, top, max(left, right), bottom), colour)

    def background(self, parts: Sequence[tuple[Span, Emotion]]) -> None:
        """Fills the row with the emotions' colours, pale."""
        for span, emotion in parts:
            red, green, blue = (round(255 - _PALE * (255 - part)) for part in rgb(COLOURS[emotion]))
            self.bar(span, f"#{red:02x}{green:02x}{blue:02x}")

    def emotions(self, parts: Sequence[tuple[Span, Emotion]]) -> set[str]:
        """Draws the row as the strip of emotions. Returns the emotions whose name fits nowhere."""
        self.name("emotion")
        return self.blocks([Block(span, COLOURS[emotion], emotion) for span, emotion in parts])

    def speech(self, spans: Sequence[Span]) -> None:
        """Draws the row as the strip of speech."""
        for span in spans:
            self.bar(span, SPEECH, 0.15, 0.85)
        self.name("speech")

    def blocks(self, parts: Sequence[Block], colour: str = "white") -> set[str]:
        """Fills the row with `parts`, with texts in `colour`. Returns the texts that fit nowhere."""
        middle = (self.top + self.bottom) / 2
        written = set()
        for part in parts:
            self.bar(part.span, part.colour)
            width = part.span.duration_s / self.figure.duration_s * PLOT_WIDTH
            if found := fitting(part, width, self.height):
                text, is_upright = found
                x = self.figure.x(part.span.start_s) + width / 2
                if is_upright:
                    self.figure.upright(x, middle, text, colour=colour, bold=True)
                else:
                    self.figure.text(x, middle, text, colour=colour, bold=True)
                written.add(part.text)
        return {part.text for part in parts} - written

    def curve(self, times_s: Values, heights: Values, colour: str, width: float = 2.7) -> None:
        """Draws a line through `heights`, fractions of the row's height, at `times_s`; NaN interrupts it."""
        mask = Image.new("L", (PLOT_WIDTH * _FINER, self.height * _FINER))
        pen = ImageDraw.Draw(mask)
        x = times_s / self.figure.duration_s * mask.width
        y = (1 - heights) * (mask.height - 1)
        known = np.flatnonzero(np.isfinite(y))
        for stretch in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            points = np.stack([x[stretch], y[stretch]], axis=1).ravel().tolist()
            if len(stretch) > 1:
                pen.line(points, 255, round(width * _FINER), "curve")
        self.figure.image.paste(colour, (_LEFT, self.top), mask.reduce(_FINER))

    def cells(self, opacities: NDArray[np.float32], colour: str) -> None:
        """Fills the row with cells of one colour; opacities (rows, columns) in [0, 1], lowest row first."""
        levels = np.rint(opacities[::-1] * 255).astype(np.uint8)
        mask = Image.fromarray(levels).resize((PLOT_WIDTH, self.height), Image.Resampling.NEAREST)
        self.figure.image.paste(colour, (_LEFT, self.top), mask)

    def horizontal(self, y: float, colour: str = GRID) -> None:
        """Draws a thin line at `y` pixels."""
        self.figure.draw.line((_LEFT, y, _LEFT + PLOT_WIDTH - 1, y), colour)

    def vertical(self, time_s: float, colour: str = GRID) -> None:
        """Draws a thin line at `time_s`."""
        x = round(self.figure.x(time_s))
        self.figure.draw.line((x, self.top, x, self.bottom - 1), colour)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's default font."""
    loaded = ImageFont.load_default(size)
    assert isinstance(loaded, ImageFont.FreeTypeFont)
    return loaded


def rgb(colour: str) -> bytes:
    """Red, green and blue of "#rrggbb"."""
    return bytes.fromhex(colour[1:])


def fitting(part: Block, width: float, height: float) -> tuple[str, bool] | None:
    """The text of `part` that fits into width x height pixels, and whether it must be upright; else None."""
    for text in filter(None, (part.text, part.brief)):
        length = font(TEXT).getlength(text) + _PADDING
        if length < width:
            return text, False
        if length < height and width > TEXT + 2:
            return text, True
    return None


def ticks_s(duration_s: float) -> list[float]:
    """Round times for the axis, at most _MOST_TICKS."""
    steps = [step for step in _TICK_STEPS_S if duration_s <= step * _MOST_TICKS] or [duration_s / _MOST_TICKS]
    times_s: list[float] = np.arange(0.0, duration_s, steps[0]).tolist()
    return times_s


def clock(time_s: float) -> str:
    """The time as 0:05 or 1:02:05, with a fraction (0:00.5) if it is not a whole second."""
    minutes, seconds = divmod(time_s, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{minutes}:{seconds:0{2 if seconds.is_integer() else 4}.{0 if seconds.is_integer() else 1}f}"
    return f"{hours}:{text:0>5}" if hours else text
