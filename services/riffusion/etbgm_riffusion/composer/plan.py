"""The form: which key, tempo, bars and chords each emotion of the timeline gets.

Every emotion span becomes a section whose tempo is fitted so that a whole number of
bars fills it exactly; so each boundary is a bar line. An emotion that returns finds
its key and its chords again.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from etbgm_kit.types import Emotion, EmotionSpan, EmotionTimeline
from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.profiles import PROFILES, Profile
from etbgm_riffusion.composer.score import Bar, PlannedSection
from etbgm_riffusion.composer.styles import Style
from etbgm_riffusion.composer.theory import Chord, Key, voice

PHRASE_BARS = 4
_PERIOD_BARS = 2 * PHRASE_BARS
_FORM = "AABA"
"""Which of an emotion's two progressions each period of a long section takes."""

_ODD_BAR_COST = 0.05
"""A bar of two beats before a boundary is as bad as a tempo 5 % off."""

_FINAL_S = 2.8
"""The last chord should sound at least this long."""

_SHORT_BARS = (0.125, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Beats of the single bar that a span shorter than a bar gets."""

_TEMPO_PER_INTENSITY = 0.12
"""An intensity of 1 against 0 makes an excited emotion 12 % faster, a calm one slower."""

_FIFTH = 7
_PAD_CENTRE = 60


@dataclass(frozen=True, slots=True)
class _Colour:
    """What an emotion is in this piece: its key and two progressions of chord symbols."""

    key: Key
    progressions: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Plan:
    """The form of a piece."""

    sections: tuple[PlannedSection, ...]
    bars: tuple[Bar, ...]
    meter: int


def make_plan(timeline: EmotionTimeline, random_seed: int, style: Style) -> Plan:
    """The plan for a timeline: a pure function of its arguments."""
    chance = generator(random_seed, "plan")
    meter = pick(chance, style.meters)
    slowest, fastest = style.tempo_bpm
    tempo_bpm = slowest + chance.random() * (fastest - slowest)
    home = int(chance.random() * 12)
    colours = {
        emotion: _colour(random_seed, emotion, home, at_home=emotion == timeline.spans[0].emotion)
        for emotion in {span.emotion for span in timeline.spans}
    }
    *others, last = (_section(span, tempo_bpm, meter, colours[span.emotion].key) for span in timeline.spans)
    sections = (*others, _with_fermata(last))
    return Plan(sections, tuple(_bars(sections, colours)), meter)


def fit_bars(duration_s: float, beat_s: float, meter: int) -> tuple[float, ...]:
    """Beats of the bars that fill `duration_s` with a tempo nearest to one beat per `beat_s`.

    Full bars of `meter` beats, at most one bar of two beats at the end; a single
    short bar where not even one full bar fits.
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


def _section(span: EmotionSpan, tempo_bpm: float, meter: int, key: Key) -> PlannedSection:
    profile = PROFILES[span.emotion]
    pace = 1 + _TEMPO_PER_INTENSITY * (span.intensity - 0.5) * math.copysign(1, profile.arousal)
    beat_s = 60 / (tempo_bpm * float(profile.tempo_ratio) * pace)
    bars = fit_bars(span.span.duration_s, beat_s, meter)
    return PlannedSection(span.span, span.emotion, span.intensity, key, bars)


def _with_fermata(section: PlannedSection) -> PlannedSection:
    """Makes one long bar of the last two when the last chord would be too short."""
    *before, one, last = (0.0, *section.bars)
    if len(before) < 2 or last * section.beat_s >= _FINAL_S:
        return section
    return replace(section, bars=(*before[1:], one + last))


def _colour(random_seed: int, emotion: Emotion, home: int, at_home: bool) -> _Colour:
    """The first emotion is at home; others may lie one fifth away, so keys share six notes."""
    chance = generator(random_seed, "colour", emotion)
    mode, progressions = pick(chance, PROFILES[emotion].harmony)
    away = 0 if at_home else pick(chance, (-_FIFTH, 0, 0, _FIFTH))
    first = pick(chance, progressions)
    second = pick(chance, [other for other in progressions if other != first])
    return _Colour(Key.relative((home + away) % 12, mode), (tuple(first.split()), tuple(second.split())))


def _bars(sections: Sequence[PlannedSection], colours: dict[Emotion, _Colour]) -> Iterator[Bar]:
    voicing: tuple[int, ...] = ()
    for index, section in enumerate(sections):
        following = sections[index + 1] if index + 1 < len(sections) else None
        profile = PROFILES[section.emotion]
        chords = _chords(section, colours[section.emotion], following)
        before = 0.0
        for number, (beats, chord) in enumerate(zip(section.bars, chords, strict=True)):
            voicing = voice(chord, voicing, _PAD_CENTRE + profile.register // 2)
            yield Bar(
                start_s=section.span.start_s + before * section.beat_s,
                beats=beats,
                beat_s=section.beat_s,
                end_beat_s=section.beat_s,
                phrase=f"{section.emotion} {number // PHRASE_BARS}",
                section=index,
                number=number,
                remaining=len(section.bars) - number - 1,
                chord=chord,
                voicing=voicing,
            )
            before += beats


def _chords(section: PlannedSection, colour: _Colour, following: PlannedSection | None) -> Iterator[Chord]:
    """Two progressions in the form AABA; the last bar leads into the next key, or home."""
    count = len(section.bars)
    profile = PROFILES[section.emotion]
    for number in range(count):
        letter = _FORM[number // _PERIOD_BARS % len(_FORM)]
        symbol = colour.progressions["AB".index(letter)][number % PHRASE_BARS]
        key = section.key
        if following is None:
            symbol = _closing(symbol, count - number, profile)
        elif number == count - 1 and count >= 3:
            symbol, key = PROFILES[following.emotion].cadence, following.key
        yield Chord.parse(symbol, key)


def _closing(symbol: str, bars_left: int, profile: Profile) -> str:
    return {1: "1", 2: profile.cadence}.get(bars_left, symbol)


def unit_starts(bars: Sequence[Bar], least_s: float) -> tuple[int, ...]:
    """Indices of the bars at which rendering units begin, each at least `least_s` long.

    Units begin where a phrase does, when one does soon, and always on a bar line; only
    the last may be shorter.
    """
    starts = [0]
    for index, bar in enumerate(itertools.islice(bars, 1, None), start=1):
        length_s = bar.start_s - bars[starts[-1]].start_s
        if length_s >= (least_s if bar.number % PHRASE_BARS == 0 else 1.5 * least_s):
            starts.append(index)
    return tuple(starts)
