"""The time plan: the key, tempo and bars of each emotion in the timeline.

Every emotion span becomes a section. Its tempo is fitted so that a whole number of bars fills it exactly,
so each boundary is a bar line. Over its last bars, the tempo of a section changes to that of the next
one, or to a simple ratio of it (a metric modulation, where the new beat is a group of the old one's
parts). At the end of the piece, the tempo slows down.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from etbgm_kit.types import Cut, Emotion, EmotionSpan, EmotionTimeline
from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.harmony import PHRASE_BARS
from etbgm_riffusion.composer.moods import mood
from etbgm_riffusion.composer.profiles import PROFILES, Means
from etbgm_riffusion.composer.pulse import End, fit, wished
from etbgm_riffusion.composer.score import Bar, PlannedSection
from etbgm_riffusion.composer.styles import Style
from etbgm_riffusion.composer.textures import Texture, texture_of, textured
from etbgm_riffusion.composer.theory import Key

_ODD_BAR_COST = 0.05
"""Cost of a bar of two beats before a boundary: it is as bad as a tempo 5 % off."""

_FINAL_S = 2.2
"""Minimum length of the last chord."""

_SHORT_BARS = (0.125, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Possible beats of the single bar in a span shorter than a bar."""

_RATIOS = (1.0, 3 / 4, 4 / 3, 2 / 3, 3 / 2, 1 / 2, 2.0)
"""Ratios of the next beat to this one: the same, and metric modulations."""

_CHANGING_BARS = ((8, 2), (4, 1))
"""Minimum bars of a section, and the number of them over which its tempo changes."""

_RITARDANDO = 1.25
"""Length of the piece's last beat, relative to its usual one."""

_FIFTH = 7


@dataclass(frozen=True, slots=True)
class Plan:
    """The sections of a piece in a style and a texture, and the beats of a full bar."""

    sections: tuple[PlannedSection, ...]
    meter: int
    style: Style
    texture: Texture


def make_plan(
    timeline: EmotionTimeline,
    random_seed: int,
    style: Style,
    wished_arousal: float = 0.0,
    cuts: Sequence[Cut] = (),
) -> Plan:
    """Returns the plan for a timeline and the cuts to meet; a pure function of its arguments."""
    chance = generator(random_seed, "plan")
    meter = pick(chance, style.meters)
    slowest, fastest = style.tempo_bpm
    tempo_bpm = slowest + chance.random() * (fastest - slowest)
    home = int(chance.random() * 12)
    texture = texture_of(random_seed)
    first = timeline.spans[0].emotion
    sections: list[PlannedSection] = []
    for span in reversed(timeline.spans):
        means = textured(mood(span, wished_arousal), texture)
        beat_s = 60 / (tempo_bpm * means.tempo)
        bars = fit_bars(span.span.duration_s, beat_s, meter)
        key = _key(random_seed, span.emotion, means, home, at_home=span.emotion == first)
        following = sections[-1] if sections else None
        section = _section(span, means, key, bars, following)
        wishes = wished(cuts, span.span.start_s, span.span.end_s)
        sections.append((wishes and _met(section, wishes, beat_s, meter, following)) or section)
    return Plan(tuple(reversed(sections)), meter, style, texture)


def fit_bars(duration_s: float, beat_s: float, meter: int) -> tuple[float, ...]:
    """Returns the beats of the bars that fill `duration_s` with a tempo nearest to one beat per `beat_s`.

    There are full bars of `meter` beats and at most one bar of two beats at the end; if not even one full
    bar fits, there is a single short bar.
    """
    beats = duration_s / beat_s
    if beats < meter - 0.5:
        return (min(_SHORT_BARS, key=lambda short: abs(math.log(beats / short))),)
    fits = []
    for count in {max(1, math.floor(beats / meter)), math.ceil(beats / meter)}:
        for odd in (0.0, 2.0):
            off = abs(math.log(beats / (count * meter + odd)))
            fits.append((off + _ODD_BAR_COST * bool(odd), count, odd))
    _, count, odd = min(fits)
    return (float(meter),) * count + ((odd,) if odd else ())


def _section(
    span: EmotionSpan, means: Means, key: Key, bars: tuple[float, ...], following: PlannedSection | None
) -> PlannedSection:
    """Returns the section before `following`, which determines how its tempo ends."""
    duration_s = span.span.duration_s
    if following is None:
        bars = _with_fermata(bars, duration_s / sum(bars))
    changing = _changing(bars)
    steady_s, beats, last = duration_s / sum(bars), sum(bars), sum(bars[len(bars) - changing :])
    if following is None:
        beat_s = duration_s / (beats + (_RITARDANDO - 1) * last / 2)
        end_s = beat_s * _RITARDANDO if changing else beat_s
    else:
        end_s = _arrival_s(steady_s, following)
        beat_s = (duration_s - end_s * last / 2) / (beats - last / 2)
    if not changing:
        beat_s = end_s = steady_s
    return PlannedSection(span.span, span.emotion, means, key, bars, beat_s, end_s, changing)


def _met(
    section: PlannedSection,
    cuts: Sequence[Cut],
    beat_s: float,
    meter: int,
    following: PlannedSection | None,
) -> PlannedSection | None:
    """Returns the section with a tempo that meets `cuts`, whose times are relative; None if none does."""
    duration_s = section.span.duration_s

    def end_of(bars: tuple[float, ...]) -> End:
        changing = min(1, _changing(bars))
        last = sum(bars[len(bars) - changing :])
        if following is None:
            return End(changing, last * (1 + _RITARDANDO) / 2, 0.0)
        return End(changing, last / 2, last * _arrival_s(duration_s / sum(bars), following) / 2)

    found = fit(cuts, duration_s, beat_s, meter, end_of)
    if found is None:
        return None
    changing, last_s = min(1, _changing(found.bars)), found.beats_s[-1]
    end_s = last_s * _RITARDANDO if following is None else _arrival_s(duration_s / sum(found.bars), following)
    return replace(
        section,
        bars=found.bars,
        beat_s=sum(found.beats_s) / len(found.beats_s),
        end_beat_s=end_s if changing else last_s,
        changing_bars=changing,
        beats_s=found.beats_s,
    )


def _changing(bars: Sequence[float]) -> int:
    """Returns over how many bars the tempo changes at the end of a section."""
    return next((count for least, count in _CHANGING_BARS if len(bars) >= least), 0)


def _arrival_s(steady_s: float, following: PlannedSection) -> float:
    """Returns the length of the last beat before `following`: that of its beats, or a simple ratio of it."""
    ratio = min(_RATIOS, key=lambda ratio: abs(math.log(following.first_beat_s / steady_s / ratio)))
    return following.first_beat_s / ratio


def _with_fermata(bars: tuple[float, ...], beat_s: float) -> tuple[float, ...]:
    """Merges the last two bars into a long one if the last chord would be too short."""
    if len(bars) < 3 or bars[-1] * beat_s >= _FINAL_S:
        return bars
    return (*bars[:-2], bars[-2] + bars[-1])


def _key(random_seed: int, emotion: Emotion, means: Means, home: int, at_home: bool) -> Key:
    """Returns the emotion's key, in its brightest mode if the mood is brighter than its row.

    The first emotion is in the home key; others may be one fifth away, so keys share six notes.
    """
    chance = generator(random_seed, "key", emotion)
    modes = PROFILES[emotion].modes
    brighter = means.valence > PROFILES[emotion].means.valence + 0.15
    mode = modes[0] if brighter else pick(chance, modes)
    away = 0 if at_home else pick(chance, (-_FIFTH, 0, 0, _FIFTH))
    return Key.relative((home + away) % 12, mode)


def unit_starts(bars: Sequence[Bar], least_s: float) -> tuple[int, ...]:
    """Returns the indices of the bars at which rendering units begin, each at least `least_s` long.

    Units begin with a phrase, if one begins soon, and always at a bar line; only the last may be shorter.
    """
    starts = [0]
    for index, bar in enumerate(itertools.islice(bars, 1, None), start=1):
        length_s = bar.start_s - bars[starts[-1]].start_s
        if length_s >= (least_s if bar.number % PHRASE_BARS == 0 else 1.5 * least_s):
            starts.append(index)
    return tuple(starts)
