"""Plans how far the music rises in the pauses of speech, slowly enough not to be heard as pumping.

All levels are relative to the mean of the music under speech. What the music itself gains in a
pause, because its arrangement fills up there, counts as part of the rise and is not added to it.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from etbgm_kit.types import Bar, Span
from etbgm_mixer import loudness
from etbgm_mixer.loudness import FINE_PER_STEP, FINE_STEP_S, Energies
from etbgm_mixer.mixing.levelling import Decibels
from etbgm_mixer.types import MixSettings


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for pauses shorter than `below_s`.

    The music rises by `share` of the requested lift, and its momentary loudness stays `under_lu`
    below the speech.
    """

    below_s: float
    share: float
    under_lu: float


RULES = (Rule(1.5, 0.0, 9.0), Rule(3.0, 0.375, 8.0), Rule(6.0, 0.625, 6.0), Rule(np.inf, 1.0, 4.0))
"""With the usual lift of 8 dB: 0, 3, 5 and 8 dB. Chosen so that a short pause does not pump and the
music never comes near the speech."""

LEAD_S = 0.25
"""The music is down this long before the next word."""

MOST_LOWERED_DB = 12.0
"""The music is not lowered further in a pause, however much its arrangement fills up."""

LOWERING_DB_PER_S = 8.0
"""How fast the music is lowered before a pause in which its arrangement rises too far, and raised again."""

ON_BAR_LINE_S = 3.0
"""In pauses from this length on the music begins to rise on a bar line, in shorter ones on a beat."""

MOST_WAIT_S = 2.0
"""Longest wait for a bar line or a beat: a bar of four beats at 120 bpm."""

_BARS_SEEN = 8
"""Bars that may begin while the rise waits, the short ones of fast music included."""

_REACH_S = MOST_LOWERED_DB / LOWERING_DB_PER_S


def pauses(spans: Sequence[Span], duration_s: float) -> list[Span]:
    """Returns what lies between the spans, and before and after them."""
    edges_s = [0.0, *(edge for span in spans for edge in (span.start_s, span.end_s)), duration_s]
    return [Span(a, b) for a, b in zip(edges_s[::2], edges_s[1::2], strict=True) if b > a]


def curve_db(
    music: Energies, spans: Sequence[Span], settings: MixSettings, bars: Sequence[Bar] = ()
) -> Decibels:
    """Returns the music's gain in dB per 10 ms: 0 under speech, higher or lower in pauses.

    `music` is its energy per 10 ms before any gain, `bars` are its bars, if known: the music begins
    to rise on a bar line in long pauses, on a beat in others.
    """
    raised, lowered = np.zeros(len(music)), np.zeros(len(music))
    under_lufs = loudness.mean_lufs(loudness.within(loudness.coarse(music), spans))
    if not np.isfinite(under_lufs):
        return raised
    duration_s = len(music) * FINE_STEP_S
    for pause in pauses(spans, duration_s):
        gain_db = _gain_db(music, pause, under_lufs, settings)
        reach = slice(max(0, _step(pause.start_s - _REACH_S)), _step(pause.end_s + _REACH_S))
        times_s = (np.arange(len(music), dtype=np.float64)[reach] + 0.5) * FINE_STEP_S
        if gain_db > 0:
            from_s = _first_pulse_s(pause.start_s + settings.hold_ms * 1e-3, pause, bars)
            raised[reach] += _raised(times_s, from_s, pause, gain_db, settings, duration_s)
        else:
            lowered[reach] = np.minimum(lowered[reach], _lowered(times_s, pause, gain_db))
    return raised + lowered


def _gain_db(music: Energies, pause: Span, under_lufs: float, settings: MixSettings) -> float:
    """Returns the gain that leaves the music as loud in the pause as its length allows."""
    rule = next(rule for rule in RULES if pause.duration_s < rule.below_s)
    lift_db = rule.share * settings.music_lift_db
    heard = music[_step(pause.start_s) : _step(pause.end_s)]
    mean_lufs, peak_lufs = loudness.mean_lufs(heard), _momentary_peak_lufs(heard)
    if not np.isfinite(peak_lufs):
        return 0.0
    most_db = settings.speech_to_music_lu - rule.under_lu - (peak_lufs - under_lufs)
    own_db = max(0.0, mean_lufs - under_lufs)
    return max(min(max(0.0, lift_db - own_db), most_db), -MOST_LOWERED_DB)


def _momentary_peak_lufs(energies: Energies) -> float:
    """Returns the loudest 400 ms (BS.1770-4), or the mean of less."""
    window = loudness.BLOCK_STEPS * FINE_PER_STEP
    if len(energies) <= window:
        return loudness.mean_lufs(energies)
    sums = np.cumsum(np.concatenate([[0.0], energies]))
    return loudness.mean_lufs(np.array([(sums[window:] - sums[:-window]).max() / window]))


def _first_pulse_s(earliest_s: float, pause: Span, bars: Sequence[Bar]) -> float:
    """Returns the first bar line or beat from `earliest_s` on, or `earliest_s` if none comes soon."""
    latest_s = earliest_s + MOST_WAIT_S
    first = bisect_left(bars, earliest_s, key=lambda bar: bar.span.end_s)
    soon = [bar for bar in bars[first : first + _BARS_SEEN] if bar.span.start_s <= latest_s]
    lines_s = [bar.span.start_s for bar in soon]
    beats_s = [
        bar.span.start_s + beat * bar.span.duration_s / bar.beats
        for bar in soon
        for beat in range(math.ceil(bar.beats))
    ]
    for times_s in (lines_s, beats_s) if pause.duration_s >= ON_BAR_LINE_S else (beats_s,):
        for time_s in times_s:
            if earliest_s <= time_s <= latest_s:
                return time_s
    return earliest_s


def _raised(
    times_s: Decibels, from_s: float, pause: Span, gain_db: float, settings: MixSettings, duration_s: float
) -> Decibels:
    """Rises from `from_s` on and falls to end LEAD_S before the next word; full at the video's ends."""
    per_db = 1e-3 / max(settings.music_lift_db, 1.0)
    rise_s, fall_s = settings.release_ms * per_db, settings.attack_ms * per_db
    risen = (times_s - from_s) / rise_s
    falling = (pause.end_s - LEAD_S - times_s) / fall_s
    open_start, open_end = pause.start_s <= 0, pause.end_s >= duration_s
    level: Decibels = np.minimum(np.inf if open_start else risen, np.inf if open_end else falling)
    return np.clip(level, 0, gain_db)


def _lowered(times_s: Decibels, pause: Span, gain_db: float) -> Decibels:
    """Lowers the music just before the pause and raises it after its end."""
    into_s = np.maximum(pause.start_s - times_s, times_s - pause.end_s)
    return np.clip(gain_db + np.maximum(into_s, 0) * LOWERING_DB_PER_S, gain_db, 0)


def _step(time_s: float) -> int:
    return round(time_s / FINE_STEP_S)
