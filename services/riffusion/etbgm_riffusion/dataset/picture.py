"""Draws contact sheets: many spectrograms in one picture, in rows of one emotion each."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw

from etbgm_kit.media import charts
from etbgm_kit.types import Emotion

_SIDE, _ACROSS, _GAP, _LEFT, _LABEL = 150, 10, 6, 110, 18
_ROWS_PER_EMOTION = 3


class Tile(NamedTuple):
    """An image and what is written below it."""

    path: Path
    emotion: Emotion
    label: str


def draw_sheet(tiles: Sequence[Tile], path: Path) -> None:
    """Writes a PNG with up to 30 tiles of each emotion, in the order given; skips broken images."""
    groups = [
        (emotion, list(group)[: _ACROSS * _ROWS_PER_EMOTION])
        for emotion, group in groupby(sorted(tiles, key=lambda tile: tile.emotion), lambda tile: tile.emotion)
    ]
    lines = [-(-len(group) // _ACROSS) for _, group in groups]
    line = _SIDE + _LABEL + _GAP
    sheet = Image.new("RGB", (_LEFT + _ACROSS * (_SIDE + _GAP), sum(lines) * line + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    top = _GAP
    for (emotion, group), count in zip(groups, lines, strict=True):
        pen.rectangle((_GAP, top, _LEFT - 2 * _GAP, top + count * line - 2 * _GAP), charts.COLOURS[emotion])
        pen.text(
            (_LEFT / 2 - 2, top + 14), emotion, "white", charts.font(charts.SMALL), "mm", stroke_width=0.5
        )
        for number, tile in enumerate(group):
            left, below = _LEFT + number % _ACROSS * (_SIDE + _GAP), top + number // _ACROSS * line
            _paste(sheet, tile.path, (left, below))
            label = _fitting(tile.label)
            pen.text((left, below + _SIDE + 2), label, charts.INK, charts.font(12), "la")
        top += count * line
    sheet.save(path, "PNG")


def _paste(sheet: Image.Image, path: Path, place: tuple[int, int]) -> None:
    try:
        with Image.open(path) as image:
            sheet.paste(image.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX), place)
    except (OSError, SyntaxError):
        return


def _fitting(label: str) -> str:
    while charts.font(12).getlength(label) > _SIDE and len(label) > 1:
        label = label.removesuffix("…")[:-1] + "…"
    return label
