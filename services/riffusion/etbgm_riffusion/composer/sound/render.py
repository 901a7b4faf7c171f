"""Renders a score to sound, in units that do not depend on where a cue is cut.

The piece is divided into units at bar lines. A new synthesiser plays each unit's own notes, with a tail
in which they ring out; the sound at any moment is the sum, in order, of the units that reach it. So every
cue computes the same samples for the same moment, and a call never holds more than one unit and the tails
before it.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from etbgm_kit.types import Span
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.sound.air import add_air, air_of
from etbgm_riffusion.composer.sound.dip import dip_of
from etbgm_riffusion.composer.sound.master import mastered, reach
from etbgm_riffusion.composer.sound.octaves import balance_of, tone_of
from etbgm_riffusion.composer.sound.room import SIZE, pass_through, responses
from etbgm_riffusion.composer.sound.synth import Cast, Parts, Player, Synth
from etbgm_riffusion.composer.sound.units import GRID, Event, Kind, Unit, events_of, units_of
from etbgm_riffusion.types import Stereo

_TAIL_FADE_S = 1.0

_BLOCK = 1 << 17
"""Samples per yielded block."""

OnProgress = Callable[[float], None]


def render(
    score: Score,
    cue: Span,
    synth: Synth,
    sample_rate_hz: int,
    on_progress: OnProgress,
    roles: Sequence[str] = (),
) -> Iterator[Parts]:
    """Returns the cue's sound in blocks: the bed, then the stem of each of `roles`.

    `on_progress` receives the fraction done and may raise to stop. The blocks have round(end * rate) -
    round(start * rate) samples in total. The bed is below -1 dBFS and does not depend on `roles`. Stems
    pass the bed's filters and gain, so all of them add up to the bed, apart from rounding.
    """
    first, last = (round(time_s * sample_rate_hz) for time_s in (cue.start_s, cue.end_s))
    total = round(score.duration_s * sample_rate_hz)
    stems: list[Cast] = [[voice for voice in score.voices if voice.role == role] for role in roles]
    takes: list[list[Cast]] = [[score.voices], *([stems] if synth.splits else [[stem] for stem in stems])]
    begin, end = reach(first, last, total)
    sums = _sums(score, begin, end, synth, sample_rate_hz, [take for take in takes if take], on_progress)
    return mastered(sums, first, last, total, sample_rate_hz)


def roles_of(score: Score) -> tuple[str, ...]:
    """Returns the roles that play in the piece, in the order of the voices."""
    playing = {note.channel for note in score.notes}
    return tuple(dict.fromkeys(voice.role for voice in score.voices if voice.channel in playing))


def _sums(
    score: Score,
    first: int,
    last: int,
    synth: Synth,
    sample_rate_hz: int,
    takes: Sequence[Sequence[Cast]],
    on_progress: OnProgress,
) -> Iterator[Parts]:
    """Yields samples [first, last) of the piece in blocks, with one part for each cast of the takes."""
    parts = sum(map(len, takes))
    reaching = [unit for unit in units_of(score, sample_rate_hz) if unit.stop > first and unit.start < last]
    tails = np.zeros((parts, 0, 2), np.float32)
    for index, unit in enumerate(reaching):
        sound = np.zeros((parts, unit.stop - unit.start, 2), np.float32)
        part = 0
        for number, casts in enumerate(takes):

            def report_take(share: float, done: int = index * len(takes) + number) -> None:
                on_progress((done + share) / (len(reaching) * len(takes)))

            _play(unit, casts, synth, sample_rate_hz, sound[part : part + len(casts)], report_take)
            part += len(casts)
        _process(sound, unit, score.speech, sample_rate_hz)
        sound[:, unit.end - unit.start :] *= _tail_fade(unit, sample_rate_hz)[:, None]
        overlap = min(tails.shape[1], sound.shape[1])
        sound[:, :overlap] += tails[:, :overlap]
        own = unit.end - unit.start
        tails = np.concatenate([sound[:, own:], tails[:, overlap:]], axis=1)
        end = min(last, unit.end)
        for begin in range(max(first, unit.start), end, _BLOCK):
            yield sound[:, begin - unit.start : min(begin + _BLOCK, end) - unit.start]


def _process(sound: Parts, unit: Unit, speech: Sequence[Span], sample_rate_hz: int) -> None:
    """Filters a unit's sound in place, as its bed needs."""
    balance = balance_of(sound[0])
    air = air_of(sound[0], balance, sample_rate_hz)
    if air is not None:
        add_air(sound, air)
        balance = balance_of(sound[0])
    through = responses(tone_of(balance, sample_rate_hz), sample_rate_hz)
    pass_through(sound, through, dip_of(unit.start, sound.shape[1], speech, sample_rate_hz, SIZE))


def _tail_fade(unit: Unit, sample_rate_hz: int) -> Stereo:
    """Returns the gain of the tail's samples, which ends at 0."""
    left = unit.stop - np.arange(unit.end, unit.stop)
    return np.clip(left / (_TAIL_FADE_S * sample_rate_hz), 0, 1).astype(np.float32)


def _play(
    unit: Unit,
    casts: Sequence[Cast],
    synth: Synth,
    sample_rate_hz: int,
    sound: Parts,
    on_progress: OnProgress,
) -> None:
    """Fills `sound` with what each cast plays in the unit."""
    playing = {note.channel for note in unit.notes}
    heard = [[voice for voice in cast if voice.channel in playing] for cast in casts]
    channels = {voice.channel for cast in heard for voice in cast}
    if not channels:
        return
    player = synth.player(heard, sample_rate_hz)
    try:
        _perform(player, events_of(unit, channels, sample_rate_hz), sound, on_progress)
    finally:
        player.close()


def _perform(player: Player, events: list[Event], sound: Parts, on_progress: OnProgress) -> None:
    now, samples = 0, sound.shape[1]
    for event in events:
        if event.sample >= samples:
            break
        if event.sample > now:
            player.render(sound[:, now : event.sample])
            now = event.sample
            on_progress(now / samples)
        _act(player, event)
    while now < samples:
        end = min(now + 256 * GRID, samples)
        player.render(sound[:, now:end])
        now = end
        on_progress(now / samples)


def _act(player: Player, event: Event) -> None:
    if event.kind is Kind.NOTE_ON:
        player.note_on(event.channel, event.number, event.value)
    elif event.kind is Kind.NOTE_OFF:
        player.note_off(event.channel, event.number)
    else:
        player.control(event.channel, event.number, event.value)
