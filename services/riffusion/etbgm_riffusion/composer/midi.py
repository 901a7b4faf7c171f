"""Writes the score as a standard MIDI file (format 1), 480 ticks per quarter note."""

import io
import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import mido

from etbgm_riffusion.composer.score import Bar, Control, Note, Score, Voice

TICKS_PER_BEAT = 480

_TEMPO_EVERY_BARS = 8
"""Tempos are whole microseconds per beat. The tempo is set again this often, so that rounding errors do
not accumulate over a long section."""

_ORDER = {"note_off": 0, "control_change": 1}
"""Order of messages at one tick; all others come after these (see `units.Kind`)."""


def to_midi(score: Score) -> bytes:
    """Returns the file: a conductor track with tempo map, meters, keys and markers, then the voices."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    clock = _Clock(score.bars)
    file.tracks.append(_conductor(score, clock))
    for voice in score.voices:
        if notes := [note for note in score.notes if note.channel == voice.channel]:
            controls = (control for control in score.controls if control.channel == voice.channel)
            file.tracks.append(_track(voice, notes, controls, clock))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


class _Tempo(NamedTuple):
    """From this point on, a beat lasts `beat_us`."""

    tick: int
    time_s: float
    beat_us: int


class _Clock:
    """The tempo map; converts seconds to ticks."""

    def __init__(self, bars: tuple[Bar, ...]) -> None:
        beats = itertools.accumulate((bar.beats for bar in bars), initial=0.0)
        self.bar_ticks = [round(beat * TICKS_PER_BEAT) for beat in beats]
        self.tempi = tuple(_tempi(bars, self.bar_ticks))

    def tick(self, time_s: float) -> int:
        """Returns the tick nearest to `time_s` in the tempo map."""
        tempo = self.tempi[max(0, bisect_right(self.tempi, time_s, key=lambda tempo: tempo.time_s) - 1)]
        return tempo.tick + round((time_s - tempo.time_s) * 1e6 / tempo.beat_us * TICKS_PER_BEAT)


def _tempi(bars: tuple[Bar, ...], bar_ticks: list[int]) -> Iterator[_Tempo]:
    """Yields tempos in whole microseconds per beat; each one corrects the rounding errors before it."""
    places = [*_tempo_places(bars, bar_ticks), (bar_ticks[-1], bars[-1].end_s)]
    time_s = 0.0
    for (tick, _), (end, end_s) in itertools.pairwise(places):
        beat_us = max(1, round((end_s - time_s) * 1e6 * TICKS_PER_BEAT / (end - tick)))
        yield _Tempo(tick, time_s, beat_us)
        time_s += (end - tick) / TICKS_PER_BEAT * beat_us * 1e-6


def _tempo_places(bars: tuple[Bar, ...], bar_ticks: list[int]) -> Iterator[tuple[int, float]]:
    """Yields tick and time of each tempo: every beat of a bar whose tempo changes, otherwise now and then."""
    beat_s = math.nan
    for bar, tick in zip(bars, bar_ticks, strict=False):
        changes = bar.end_beat_s != bar.beat_s
        if changes:
            for beat in range(math.ceil(bar.beats)):
                yield tick + beat * TICKS_PER_BEAT, bar.time_s(beat)
        elif bar.number % _TEMPO_EVERY_BARS == 0 or bar.beat_s != beat_s:
            yield tick, bar.start_s
        beat_s = math.nan if changes else bar.beat_s


def _conductor(score: Score, clock: _Clock) -> mido.MidiTrack:
    messages = [(tempo.tick, mido.MetaMessage("set_tempo", tempo=tempo.beat_us)) for tempo in clock.tempi]
    meter, phrase = 0.0, ""
    for bar, tick in zip(score.bars, clock.bar_ticks, strict=False):
        section = score.sections[bar.section]
        if bar.number == 0:
            messages.append((tick, mido.MetaMessage("marker", text=section.emotion.value)))
            messages.append((tick, mido.MetaMessage("key_signature", key=section.key.signature)))
        if bar.number == 0 or bar.phrase != phrase:
            phrase = bar.phrase
            messages.append((tick, mido.MetaMessage("cue_marker", text=phrase)))
        if bar.beats != meter:
            meter = bar.beats
            messages.append((tick, _time_signature(meter)))
    messages.append((clock.bar_ticks[-1], mido.MetaMessage("end_of_track")))
    track = _in_order(messages)
    track.insert(0, mido.MetaMessage("track_name", name="timeline"))
    return track


def _time_signature(beats: float) -> mido.MetaMessage:
    """Returns quarters, or a single shorter note for bars shorter than a beat."""
    numerator, denominator = (int(beats), 4) if beats >= 1 else (1, round(4 / beats))
    return mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)


def _track(voice: Voice, notes: Iterable[Note], controls: Iterable[Control], clock: _Clock) -> mido.MidiTrack:
    channel = voice.channel
    track = _in_order(itertools.chain(_control_messages(controls, clock), _note_messages(notes, clock)))
    track[:0] = [
        mido.MetaMessage("track_name", name=voice.name),
        mido.Message("program_change", channel=channel, program=voice.programme),
        *(
            mido.Message("control_change", channel=channel, control=control, value=value)
            for control, value in ((7, voice.volume), (10, voice.pan), (91, voice.reverb))
        ),
    ]
    return track


def _note_messages(notes: Iterable[Note], clock: _Clock) -> Iterator[tuple[int, mido.Message]]:
    for note in notes:
        start = clock.tick(note.start_s)
        end = max(start + 1, clock.tick(note.end_s))
        place = {"channel": note.channel, "note": note.pitch}
        yield start, mido.Message("note_on", velocity=note.velocity, **place)
        yield end, mido.Message("note_off", velocity=0, **place)


def _control_messages(controls: Iterable[Control], clock: _Clock) -> Iterator[tuple[int, mido.Message]]:
    for time_s, channel, controller, value in controls:
        message = mido.Message("control_change", channel=channel, control=controller, value=value)
        yield clock.tick(time_s), message


def _in_order(messages: Iterable[tuple[int, mido.Message | mido.MetaMessage]]) -> mido.MidiTrack:
    """Returns messages at absolute ticks as a track; at one tick, in the order in which players act."""
    track = mido.MidiTrack()
    now = 0
    for tick, message in sorted(messages, key=lambda pair: (pair[0], _ORDER.get(pair[1].type, 2))):
        message.time = tick - now
        track.append(message)
        now = tick
    return track
