"""The picture of a result: who speaks when, which emotion, how loud speech and music are."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Emotion, EmotionTimeline, Span

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {
    Emotion.ANGER: "#e4573d",
    Emotion.DISGUST: "#7d9b3c",
    Emotion.FEAR: "#8a63b8",
    Emotion.JOY: "#f2b632",
    Emotion.NEUTRAL: "#b4bac4",
    Emotion.SADNESS: "#4a7fc1",
    Emotion.SURPRISE: "#35b3a7",
}
_SPEECH, _MUSIC, _INK = "#2f3542", "#c2447a", "#3a3f4b"
FLOOR_LUFS = -50.0
"""Below this nothing is drawn: next to music at -25 LUFS it is silence."""
_FLAT_SHARE, _UPRIGHT_SHARE = 0.065, 0.015
"""Share of the width that a span needs for its name, written flat or upright."""
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
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4.27), dpi=150, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    bands, speech, loudness = figure.subplots(3, 1, sharex=True, height_ratios=(2.2, 0.8, 7))
    for axes in (bands, speech, loudness):
        axes.spines[:].set_visible(False)
        axes.tick_params(colors=_INK, labelsize=8, length=0)
        axes.set_xlim(0, timeline.duration_s)
    _draw_emotions(bands, timeline)
    _draw_speech(speech, speech_spans)
    _draw_loudness(loudness, timeline, levels)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _draw_emotions(axes: "Axes", timeline: EmotionTimeline) -> None:
    for span in timeline.spans:
        start_s, width_s = span.span.start_s, span.span.duration_s
        axes.barh(0, width_s, left=start_s, height=1, color=COLOURS[span.emotion], align="edge")
        share = width_s / timeline.duration_s
        if share > _UPRIGHT_SHARE:
            axes.text(
                start_s + width_s / 2,
                0.5,
                span.emotion,
                ha="center",
                va="center",
                color="white",
                size=8,
                weight="bold",
                rotation=0 if share > _FLAT_SHARE else 90,
            )
    axes.set_ylim(0, 1)
    _label(axes, "emotion")


def _draw_speech(axes: "Axes", speech_spans: Sequence[Span]) -> None:
    bars = [(span.start_s, span.duration_s) for span in speech_spans]
    axes.broken_barh(bars, (0.15, 0.7), color=_SPEECH)
    axes.set_ylim(0, 1)
    _label(axes, "speech")


def _draw_loudness(axes: "Axes", timeline: EmotionTimeline, levels: Levels) -> None:
    for span in timeline.spans:
        axes.axvspan(span.span.start_s, span.span.end_s, color=COLOURS[span.emotion], alpha=0.13, lw=0)
    for name, values, colour in (
        ("speech", levels.speech_lufs, _SPEECH),
        ("music", levels.music_lufs, _MUSIC),
    ):
        curve = curve_of(values)
        times_s = np.linspace(0, len(values) * levels.step_s, len(curve), endpoint=False)
        axes.plot(times_s, curve, color=colour, lw=1.3, label=name, solid_joinstyle="round")
    axes.set_ylim(FLOOR_LUFS, 0)
    axes.grid(axis="y", color="#d9dce2", lw=0.6)
    axes.set_axisbelow(True)
    axes.set_ylabel("loudness (LUFS)", color=_INK, size=9)
    axes.set_xlabel("time (min:s)", color=_INK, size=9)
    axes.xaxis.set_major_formatter(lambda t, _: f"{int(t) // 60}:{int(t) % 60:02d}")
    axes.legend(loc="lower right", ncols=2, edgecolor="none", framealpha=0.9, fontsize=9, labelcolor=_INK)


def curve_of(values: Sequence[float | None]) -> NDArray[np.float64]:
    """At most _COLUMNS points of `values`, each the loudest of its stretch; NaN where all is silence."""
    known = np.array([FLOOR_LUFS if v is None else v for v in values], dtype=np.float64)
    width = max(1, -(-len(known) // _COLUMNS))
    padded = np.pad(known, (0, -len(known) % width), constant_values=FLOOR_LUFS)
    loudest: NDArray[np.float64] = padded.reshape(-1, width).max(axis=1)
    loudest[loudest <= FLOOR_LUFS] = np.nan
    return loudest


def _label(axes: "Axes", text: str) -> None:
    axes.set_yticks([0.5], [text])
    axes.tick_params(axis="x", labelbottom=False)
