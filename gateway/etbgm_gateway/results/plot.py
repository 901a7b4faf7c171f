"""The picture of a result: who speaks when, which emotion, how loud speech and music are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media import charts
from etbgm_kit.types import EmotionTimeline, Span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HEIGHT_IN = 4.27
_MUSIC = "#c2447a"
FLOOR_LUFS = -50.0
"""Below this nothing is drawn: next to music at -25 LUFS it is silence."""
_COLUMNS = 1200
"""Points of a curve, about one for a pixel; of a longer video each is the loudest of its stretch."""


@dataclass(frozen=True)
class Levels:
    """Momentary loudness of speech and music in LUFS, every `step_s` seconds; None is silence."""

    step_s: float
    speech_lufs: Sequence[float | None]
    music_lufs: Sequence[float | None]


def draw(timeline: EmotionTimeline, speech_spans: Sequence[Span], levels: Levels) -> bytes:
    """A PNG, 1500 × 640 pixels."""
    figure, (bands, speech, loudness) = charts.figure(_HEIGHT_IN, timeline.duration_s, (2.2, 0.8, 7))
    emotions = [(span.span, span.emotion) for span in timeline.spans]
    charts.emotions(bands, emotions)
    charts.speech(speech, speech_spans)
    charts.background(loudness, emotions)
    _draw_loudness(loudness, levels)
    return charts.png(figure)


def _draw_loudness(axes: "Axes", levels: Levels) -> None:
    for name, values, colour in (
        ("speech", levels.speech_lufs, charts.SPEECH),
        ("music", levels.music_lufs, _MUSIC),
    ):
        curve = curve_of(values)
        times_s = np.linspace(0, len(values) * levels.step_s, len(curve), endpoint=False)
        axes.plot(times_s, curve, color=colour, lw=1.3, label=name, solid_joinstyle="round")
    axes.set_ylim(FLOOR_LUFS, 0)
    axes.grid(axis="y", color=charts.GRID, lw=0.6)
    axes.set_axisbelow(True)
    axes.set_ylabel("loudness (LUFS)", color=charts.INK, size=9)
    axes.legend(
        loc="lower right", ncols=2, edgecolor="none", framealpha=0.9, fontsize=9, labelcolor=charts.INK
    )


def curve_of(values: Sequence[float | None]) -> NDArray[np.float64]:
    """At most _COLUMNS points of `values`, each the loudest of its stretch; NaN where all is silence."""
    known = np.array([FLOOR_LUFS if v is None else v for v in values], dtype=np.float64)
    width = max(1, -(-len(known) // _COLUMNS))
    padded = np.pad(known, (0, -len(known) % width), constant_values=FLOOR_LUFS)
    loudest: NDArray[np.float64] = padded.reshape(-1, width).max(axis=1)
    loudest[loudest <= FLOOR_LUFS] = np.nan
    return loudest
