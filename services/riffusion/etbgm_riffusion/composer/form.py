"""The form: bars, themes and chords over the whole piece.

A section is a chain of four-bar phrases. Its theme A, the hook, is one loop of chords that returns most of
the time, coloured and played differently; contrasting themes stand between, in an order that the random
seed picks from `_ORDERS`. Short sections have only the hook, and every _ROUND phrases of a long section
the themes change. A returning emotion starts with its hook again. Before a boundary, a chord that both
keys share (a pivot) and the next section's cadence prepare the change; the piece ends with a cadence in
its last bar.
"""

from collections.abc import Iterator

from etbgm_riffusion.composer.chance import generator, pick
from etbgm_riffusion.composer.harmony import PHRASE_BARS, coloured, loop_of, pivot, tense
from etbgm_riffusion.composer.plan import Plan
from etbgm_riffusion.composer.profiles import PROFILES
from etbgm_riffusion.composer.registers import pad_ceiling
from etbgm_riffusion.composer.score import Bar, PlannedSection
from etbgm_riffusion.composer.theory import Chord
from etbgm_riffusion.composer.voicing import SIXTH, voice

_ORDERS = ("AABA", "ABAA", "AAAB")
"""Themes of four phrases. The next four have another contrasting theme."""

_CONTRASTS = 3
_LEAST_PHRASES = 5
"""Phrases before the closing cadence from which a section has contrasting themes: with fewer, the hook
would not return often enough to be remembered."""

_ROUND = 32
"""Phrases, two to six minutes, after which the themes of a section change."""


def make_form(plan: Plan, random_seed: int) -> Iterator[Bar]:
    """Yields all bars of the piece, in order."""
    voicing: tuple[int, ...] = ()
    ceiling = 0
    for index, section in enumerate(plan.sections):
        before, ceiling = ceiling, pad_ceiling(section.mood)
        if abs(ceiling - before) > SIXTH:
            voicing = ()  # The section lies in another register, to which no voice can lead.
        following = plan.sections[index + 1] if index + 1 < len(plan.sections) else None
        time_s = section.span.start_s
        for number, beats in enumerate(section.bars):
            letter = _theme(number, len(section.bars), random_seed)
            chord = _chord(plan, section, following, number, letter, random_seed)
            voicing = voice(chord, voicing, ceiling)
            beat_s, end_beat_s = _tempo(section, number)
            bar = Bar(
                start_s=time_s,
                beats=beats,
                beat_s=beat_s,
                end_beat_s=end_beat_s,
                phrase=f"{section.emotion} {letter} {number // PHRASE_BARS}",
                section=index,
                number=number,
                remaining=len(section.bars) - number - 1,
                chord=chord,
                tense=bool(PROFILES[section.emotion].peaks) and tense(number, len(section.bars)),
                voicing=voicing,
            )
            time_s = bar.end_s
            yield bar


def _theme(number: int, bars: int, random_seed: int) -> str:
    """Returns the letter of a bar's theme; "A" and every fifth letter after it are hooks."""
    phrase = number // PHRASE_BARS
    round_, place = divmod(phrase, _ROUND)
    first = ord("A") + 5 * (round_ % 5)
    order = pick(generator(random_seed, "order"), _ORDERS)
    cycle, step = divmod(place, len(order))
    long = (bars - 2) // PHRASE_BARS >= _LEAST_PHRASES
    return chr(first + (1 + cycle % _CONTRASTS if long and order[step] == "B" else 0))


def _chord(
    plan: Plan,
    section: PlannedSection,
    following: PlannedSection | None,
    number: int,
    letter: str,
    random_seed: int,
) -> Chord:
    """Returns a bar's chord: of its theme's loop, or of the cadence at the section's end."""
    count, left = len(section.bars), len(section.bars) - number - 1
    profile = PROFILES[section.emotion]
    if following and left == 0 and count >= 3:
        return Chord.parse(PROFILES[following.emotion].cadence, following.key)
    if following and left == 1 and count >= 4:
        return pivot(section.key, following.key)
    loop = loop_of(random_seed, plan.style.name, section.key.mode, section.emotion, letter)
    symbol = loop[number % PHRASE_BARS]
    if following is None and left == 0:
        return Chord.parse("1", section.key)
    if following is None and left == 1 and symbol == "1":
        return Chord.parse(profile.cadence, section.key)
    chance = generator(random_seed, "colour", section.emotion, letter, number)
    at_peak = bool(profile.peaks) and tense(number, count)
    return coloured(chance, symbol, section.key, profile.peaks if at_peak else profile.colouring, at_peak)


def _tempo(section: PlannedSection, number: int) -> tuple[float, float]:
    """Returns the seconds per beat at the start and the end of a bar."""
    first = len(section.bars) - section.changing_bars
    if number < first:
        if section.beats_s:
            return section.beats_s[2 * number], section.beats_s[2 * number + 1]
        return section.beat_s, section.beat_s
    total, before = sum(section.bars[first:]), sum(section.bars[first:number])
    from_s = section.beats_s[-1] if section.beats_s else section.beat_s
    change_s = section.end_beat_s - from_s
    after = before + section.bars[number]
    return from_s + change_s * before / total, from_s + change_s * after / total
