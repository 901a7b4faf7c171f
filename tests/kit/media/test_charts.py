"""What pictures have in common: texts only where they have room, readable times."""

import io

import numpy as np
import pytest
from PIL import Image

from etbgm_kit.media import charts
from etbgm_kit.types import Emotion, Span


def strip(duration_s: float) -> charts.Row:
    """A strip of ordinary height, between others."""
    return charts.Figure(960, duration_s, (7, 1.5, 4)).rows[1]


def test_names_are_written_only_where_they_have_room() -> None:
    row = strip(100)
    parts = [
        (Span(0, 60), Emotion.SURPRISE),
        (Span(60, 64), Emotion.SADNESS),
        (Span(64, 99), Emotion.JOY),
        (Span(99, 100), Emotion.FEAR),
    ]
    assert row.emotions(parts) == {"fear"}
    assert row.figure.texts[-3:] == ["surprise", "sadness", "joy"]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (300, 20, ("C sharp mixolydian", False)),
        (100, 20, ("C# mix", False)),
        (30, 300, ("C sharp mixolydian", True)),
        (30, 100, ("C# mix", True)),
        (30, 20, None),
        (10, 300, None),
    ],
)
def test_a_text_stands_upright_or_is_brief_where_it_must(
    width: float, height: float, expected: tuple[str, bool] | None
) -> None:
    block = charts.Block(Span(0, 8), "#ffffff", "C sharp mixolydian", "C# mix")
    assert charts.fitting(block, width, height) == expected


def test_a_curve_is_interrupted_where_nothing_is_known() -> None:
    figure = charts.Figure(400, 4.0, (1,))
    figure.rows[0].curve(np.arange(5.0), np.array([0.5, 0.5, np.nan, 0.5, 0.5]), charts.INK)
    row = figure.rows[0]
    pixels = np.asarray(Image.open(io.BytesIO(figure.png())).convert("RGB"))[row.top : row.bottom]
    drawn = [bool((pixels[:, round(figure.x(at_s))] < 128).any()) for at_s in (0.5, 2.0, 3.5)]
    assert drawn == [True, False, True]


@pytest.mark.parametrize(
    ("duration_s", "labels"),
    [
        (2, ["0:00", "0:00.5", "0:01", "0:01.5"]),
        (20, ["0:00", "0:02", "0:04", "0:06", "0:08", "0:10", "0:12", "0:14", "0:16", "0:18"]),
        (90, ["0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00", "1:10", "1:20"]),
        (7000, ["0:00", *(f"{n}0:00" for n in range(1, 6)), *(f"1:{n}0:00" for n in range(6))]),
        (20 * 3600, [f"{n}:00:00" if n else "0:00" for n in range(0, 20, 2)]),
    ],
)
def test_times_are_round(duration_s: float, labels: list[str]) -> None:
    assert charts.Figure(960, duration_s, (1, 1)).texts == [*labels, "time"]
