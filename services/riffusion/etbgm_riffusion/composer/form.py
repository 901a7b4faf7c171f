"""The form: bars, phrases and chords over the whole piece.

Sections consist of periods of two four-bar phrases, an open one and a closed one. Each emotion has three
such themes in a piece; its sections play them in the order of `_ORDER` and vary a theme when it returns.
A returning emotion starts with its first theme again. Before a boundary, a chord that both keys share
(a pivot) and the next section's cadence prepare the change; the piece ends with a cadence in its last
bar.
"""

from collections.abc import Iterator

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.chance import generator
from etbgm_riffusion.composer.harmony import PHRASE_BARS, phrase_symbols, pivot, varied
from etbgm_riffusion.composer.plan import Plan
from etbgm_riffusion.composer.profiles import PROFILES
from etbgm_riffusion.composer.score import Bar, PlannedSection
from etbgm_riffusion.composer.theory import Chord
from etbgm_riffusion.composer.voicing import voice

_ORDER = "AABACABA"
_VARIATIONS = 5
"""After this many uses, the theme returns in its original form: a reprise."""

_RECENT = 12
"""Number of recent phrases that a new one must differ from, so that none repeats under another name."""

_PAD_CENTRE = 62
_PAD_SHIFT = 0.6
"""Fraction of the mood's register shift that the pad follows; the lead follows all of it."""
_TRIES = 8


def make_form(plan: Plan, random_seed: int) -> Iterator[Bar]:
    """Yields all bars of the piece, in order."""
    voicing: tuple[int, ...] = ()
    phrases = _Phrases(random_seed)
    for index, section in enumerate(plan.sections):
        following = plan.sections[index + 1] if index + 1 < len(plan.sections) else None
        time_s = section.span.start_s
        for number, (beats, chord) in enumerate(
            zip(section.bars, _chords(section, following, phrases), strict=True)
        ):
            voicing = voice(chord, voicing, _PAD_CENTRE + round(_PAD_SHIFT * section.mood.register))
            beat_s, end_beat_s = _tempo(section, number)
            bar = Bar(
                start_s=time_s,
                beats=beats,
                beat_s=beat_s,
                end_beat_s=end_beat_s,
                phrase=phrases.name(section, number),
                section=index,
                number=number,
                remaining=len(section.bars) - number - 1,
                chord=chord,
                voicing=voicing,
            )
            time_s = bar.end_s
            yield bar


def _tempo(section: PlannedSection, number: int) -> tuple[float, float]:
    """Returns the seconds per beat at the start and the end of a bar."""
    first = len(section.bars) - section.changing_bars
    if number < first:
        return section.beat_s, section.beat_s
    total, before = sum(section.bars[first:]), sum(section.bars[first:number])
    change_s = section.end_beat_s - section.beat_s
    after = before + section.bars[number]
    return section.beat_s + change_s * before / total, section.beat_s + change_s * after / total


class _Phrases:
    """The themes of one piece, by emotion, letter and variation."""

    def __init__(self, random_seed: int) -> None:
        self._random_seed = random_seed
        self._known: dict[tuple[Emotion, str, int, bool], tuple[str, ...]] = {}
        self._taken: dict[Emotion, list[tuple[str, ...]]] = {}

    def name(self, section: PlannedSection, number: int) -> str:
        """Returns the name of a bar's phrase, for example "joy A 0 open"."""
        letter, variation, closed = _place(number)
        return f"{section.emotion} {letter} {variation} {'closed' if closed else 'open'}"

    def symbol(self, section: PlannedSection, number: int) -> str:
        """Returns the chord symbol of a bar of a section."""
        letter, variation, closed = _place(number)
        place = (section.emotion, letter, variation, closed)
        if place not in self._known:
            self._known[place] = self._write(section, letter, variation, closed)
        return self._known[place][number % PHRASE_BARS]

    def _write(self, section: PlannedSection, letter: str, variation: int, closed: bool) -> tuple[str, ...]:
        """Writes a phrase that differs from the latest ones of its emotion."""
        emotion, profile, mode = section.emotion, PROFILES[section.emotion], section.key.mode
        taken = self._taken.setdefault(emotion, [])
        for attempt in range(_TRIES):
            chance = generator(self._random_seed, "phrase", emotion, letter, closed, variation, attempt)
            if variation:
                theme = self._known[emotion, letter, 0, closed]
                symbols = varied(chance, theme, mode, profile.colouring)
            else:
                symbols = phrase_symbols(chance, mode, closed, profile.colouring, profile.bars_per_chord)
            if symbols not in taken[-_RECENT:]:
                break
        taken.append(symbols)
        return symbols


def _place(number: int) -> tuple[str, int, bool]:
    """Returns a bar's letter, variation, and whether it is in the closed half of its period."""
    period, bar = divmod(number, 2 * PHRASE_BARS)
    round_, step = divmod(period, len(_ORDER))
    letter = _ORDER[step]
    uses = round_ * _ORDER.count(letter) + _ORDER[:step].count(letter)
    return letter, uses % _VARIATIONS, bar >= PHRASE_BARS


def _chords(section: PlannedSection, following: PlannedSection | None, phrases: _Phrases) -> Iterator[Chord]:
    count = len(section.bars)
    for number in range(count):
        left = count - number - 1
        symbol = phrases.symbol(section, number)
        if following is None:
            symbol = {0: "1", 1: PROFILES[section.emotion].cadence}.get(left, symbol)
        elif left == 0 and count >= 3:
            yield Chord.parse(PROFILES[following.emotion].cadence, following.key)
            continue
        elif left == 1 and count >= 4:
            yield pivot(section.key, following.key)
            continue
        yield Chord.parse(symbol, section.key)
