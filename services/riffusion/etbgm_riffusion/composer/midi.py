"""The score as a standard MIDI file (format 1), 480 ticks per quarter note."""

import io
import itertools
from bisect import bisect_right
from collections.abc import Iterator

import mido

from etbgm_riffusion.composer.score import Bar, Note, Score, Voice

TICKS_PER_BEAT = 480

_TEMPO_EVERY_BARS = 8
"""A tempo is whole microseconds per beat; it is set anew this often, so that rounding
errors do not add up over a long section."""


def to_midi(score: Score) -> bytes:
    """The file: a conductor track with tempo map, meters, keys and markers, then the voices."""
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT)
    clock = _Clock(score.bars)
    file.tracks.append(_conductor(score, clock))
    for voice in score.voices:
        if notes := [note for note in score.notes if note.channel == voice.channel]:
            file.tracks.append(_track(voice, notes, clock))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


class _Clock:
    """Turns seconds into ticks."""

    def __init__(self, bars: tuple[Bar, ...]) -> None:
        self._bars = bars
        self._starts_s = [bar.start_s for bar in bars]
        beats = itertools.accumulate((bar.beats for bar in bars), initial=0.0)
        self.bar_ticks = [round(beat * TICKS_PER_BEAT) for beat in beats]

    def tick(self, time_s: float) -> int:
        """The tick nearest to `time_s`."""
        index = max(0, bisect_right(self._starts_s, time_s) - 1)
        bar = self._bars[index]
        return self.bar_ticks[index] + round((time_s - bar.start_s) / bar.beat_s * TICKS_PER_BEAT)


def _conductor(score: Score, clock: _Clock) -> mido.MidiTrack:
    messages: list[tuple[int, mido.MetaMessage]] = []
    meter, clock_s = 0.0, 0.0
    for index, bar in enumerate(score.bars):
        tick = clock.bar_ticks[index]
        section = score.sections[bar.section]
        if bar.number == 0:
            messages.append((tick, mido.MetaMessage("marker", text=section.emotion.value)))
            messages.append((tick, mido.MetaMessage("key_signature", key=section.key.signature)))
        if bar.beats != meter:
            meter = bar.beats
            messages.append((tick, _time_signature(meter)))
        if bar.number % _TEMPO_EVERY_BARS == 0:
            last = min(index + _TEMPO_EVERY_BARS - 1, index + bar.remaining)
            beats = (clock.bar_ticks[last + 1] - tick) / TICKS_PER_BEAT
            tempo = max(1, round((score.bars[last].end_s - clock_s) * 1e6 / beats))
            clock_s += tempo * beats * 1e-6
            messages.append((tick, mido.MetaMessage("set_tempo", tempo=tempo)))
    messages.append((clock.bar_ticks[-1], mido.MetaMessage("end_of_track")))
    track = _in_order(iter(messages))
    track.insert(0, mido.MetaMessage("track_name", name="timeline"))
    return track


def _time_signature(beats: float) -> mido.MetaMessage:
    """Quarters, or one shorter note for bars below a beat."""
    numerator, denominator = (int(beats), 4) if beats >= 1 else (1, round(4 / beats))
    return mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)


def _track(voice: Voice, notes: list[Note], clock: _Clock) -> mido.MidiTrack:
    channel = voice.channel
    track = _in_order(_note_messages(notes, clock))
    track[:0] = [
        mido.MetaMessage("track_name", name=voice.name),
        mido.Message("program_change", channel=channel, program=voice.programme),
        *(
            mido.Message("control_change", channel=channel, control=control, value=value)
            for control, value in ((7, voice.volume), (10, voice.pan), (91, voice.reverb))
        ),
    ]
    return track


def _note_messages(notes: list[Note], clock: _Clock) -> Iterator[tuple[int, mido.Message]]:
    for note in notes:
        start = clock.tick(note.start_s)
        end = max(start + 1, clock.tick(note.end_s))
        place = {"channel": note.channel, "note": note.pitch}
        yield start, mido.Message("note_on", velocity=note.velocity, **place)
        yield end, mido.Message("note_off", velocity=0, **place)


def _in_order(messages: Iterator[tuple[int, mido.Message | mido.MetaMessage]]) -> mido.MidiTrack:
    """Messages at absolute ticks as a track; at one tick note-offs come first."""
    track = mido.MidiTrack()
    now = 0
    for tick, message in sorted(messages, key=lambda pair: (pair[0], pair[1].type != "note_off")):
        message.time = tick - now
        track.append(message)
        now = tick
    return track
