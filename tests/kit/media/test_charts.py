"""What pictures have in common: texts only where they have room, readable times."""

import pytest
from matplotlib.axes import Axes

from etbgm_kit.media import charts
from etbgm_kit.types import Emotion, Span


def strip(duration_s: float) -> Axes:
    """A strip of ordinary height, between others."""
    return charts.figure(6.4, duration_s, (7, 1.5, 4))[1][1]


def texts(axes: Axes) -> list[tuple[str, float]]:
    return [(text.get_text(), text.get_rotation()) for text in axes.texts]


def test_names_stand_upright_where_they_have_no_room_and_none_where_nothing_fits() -> None:
    axes = strip(100)
    parts = [
        (Span(0, 60), Emotion.SURPRISE),
        (Span(60, 64), Emotion.SADNESS),
        (Span(64, 99), Emotion.JOY),
        (Span(99, 100), Emotion.FEAR),
    ]
    assert charts.emotions(axes, parts) == {"fear"}
    assert texts(axes) == [("surprise", 0), ("sadness", 90), ("joy", 0)]


def test_a_brief_text_takes_the_place_of_the_whole() -> None:
    axes = strip(100)
    block = charts.Block(Span(0, 8), "#ffffff", "C sharp mixolydian", "C# mix")
    assert charts.blocks(axes, [block]) == set()
    assert texts(axes) == [("C# mix", 0)]


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
    figure, every = charts.figure(6.4, duration_s, (1, 1))
    figure.draw_without_rendering()
    assert [label.get_text() for label in every[-1].get_xticklabels()] == labels
