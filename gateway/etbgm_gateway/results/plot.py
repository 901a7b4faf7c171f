"""Plots a result: when someone speaks and how, which emotion, how loud speech and music are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.media import charts
from etbgm_kit.types import Cut, EmotionTimeline, PictureMood, Span

_HEIGHT = 640
_LEGEND_X = 1300
_MUSIC = "#c2447a"
VOICE = "#76809a"
CUT, AROUSAL, VALENCE = "#9aa1b0", "#d98032", "#3d8f5f"
FLOOR_LUFS = -50.0
"""Nothing below this is drawn: next to music at -25 LUFS it is silence."""
_COLUMNS = 1200
"""Points of a curve, about one per pixel; for a longer video each is the maximum of its interval."""


@dataclass(frozen=True)
class Levels:
    """Momentary loudness of speech and music in LUFS, every `step_s` seconds; None is silence."""

    step_s: float
    speech_lufs: Sequence[float | None]
    music_lufs: Sequence[float | None]


@dataclass(frozen=True)
class Picture:
    """The cuts of the picture, and its mood if it was regarded."""

    cuts: Sequence[Cut] = ()
    mood: PictureMood | None = None


NO_PICTURE = Picture()

Voice = Sequence[tuple[Span, float]]
"""Spans and the arousal of the voice in them, [0, 1]; 0.5 is as usual."""


def draw(
    timeline: EmotionTimeline,
    speech_spans: Sequence[Span],
    voice: Voice,
    levels: Levels,
    picture: Picture = NO_PICTURE,
) -> bytes:
    """Returns a PNG of 1500 × 640 pixels; it has no row for voice or picture if nothing is known of it."""
    seen = bool(picture.cuts or picture.mood)
    more = (1.5,) * (bool(voice) + seen)
    heights = (1.8, 0.7, *more, 6) if more else (2.2, 0.8, 7)
    figure = charts.Figure(_HEIGHT, timeline.duration_s, heights)
    bands, speech, *others = figure.rows
    loudness = others[-1]
    emotions = [(span.span, span.emotion) for span in timeline.spans]
    bands.emotions(emotions)
    speech.speech(speech_spans)
    for row in others:
        row.background(emotions)
    if voice:
        _draw_voice(others[0], voice)
    if seen:
        _draw_picture(others[-2], picture)
    _draw_loudness(loudness, levels)
    return figure.png()


def _draw_voice(row: charts.Row, voice: Voice) -> None:
    """Draws a bar for each span: above the middle for a raised voice, below it for a soft one."""
    row.horizontal((row.top + row.bottom) / 2, VOICE)
    for span, arousal in voice:
        row.bar(span, VOICE, min(0.5, arousal), max(0.5, arousal))
    for share, text in ((0.2, "raised"), (0.8, "soft")):
        row.tick(row.top + share * row.height, text)
    row.axis("voice")


def _draw_picture(row: charts.Row, picture: Picture) -> None:
    """Draws a line for each cut, higher for a stronger one, and the curves of arousal and valence."""
    width_s = 2 * row.figure.duration_s / charts.PLOT_WIDTH
    for cut in picture.cuts:
        row.bar(Span(cut.time_s, cut.time_s + width_s), CUT, 0, cut.strength)
    if picture.mood:
        times_s = np.arange(len(picture.mood.arousal), dtype=np.float64) + 0.5
        for values, colour in ((picture.mood.arousal, AROUSAL), (picture.mood.valence, VALENCE)):
            row.curve(times_s, np.array([value / 2 + 0.5 for value in values]), colour, 2)
        row.figure.legend(_LEGEND_X - 60, row.bottom - 12, [("arousal", AROUSAL), ("valence", VALENCE)])
    row.axis("picture")


def _draw_loudness(row: charts.Row, levels: Levels) -> None:
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        y = row.bottom - 1 - share * (row.height - 1)
        row.horizontal(y)
        row.tick(y, str(round(FLOOR_LUFS * (1 - share))))
    curves = (("speech", levels.speech_lufs, charts.SPEECH), ("music", levels.music_lufs, _MUSIC))
    for _, values, colour in curves:
        curve = curve_of(values)
        times_s = np.linspace(0, len(values) * levels.step_s, len(curve), endpoint=False)
        row.curve(times_s, curve / -FLOOR_LUFS + 1, colour)
    row.axis("loudness (LUFS)")
    row.figure.legend(_LEGEND_X, row.bottom - 16, [(name, colour) for name, _, colour in curves])


def curve_of(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Returns at most _COLUMNS points, each the maximum of its interval of `values`; NaN for silence."""
    known = np.array([FLOOR_LUFS if v is None else v for v in values], dtype=np.float64)
    width = max(1, -(-len(known) // _COLUMNS))
    padded = np.pad(known, (0, -len(known) % width), constant_values=FLOOR_LUFS)
    loudest: NDArray[np.float64] = padded.reshape(-1, width).max(axis=1)
    loudest[loudest <= FLOOR_LUFS] = np.nan
    return loudest
