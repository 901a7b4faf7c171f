"""The MIDI file, read back with mido."""

import io
import itertools
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

import mido
import pytest

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.midi import to_midi
from etbgm_riffusion.composer.theory import MODES, Key
from etbgm_riffusion.types import Piece

MakePiece = Callable[..., Piece]


def read(piece: Piece) -> mido.MidiFile:
    return mido.MidiFile(file=io.BytesIO(to_midi(compose(piece))))


def marked_times_s(file: mido.MidiFile) -> list[tuple[float, str]]:
    """When the file's own tempo map says that each marker comes."""
    now, times = 0.0, []
    for message in file:
        now += message.time
        if message.type == "marker":
            times.append((now, message.text))
    return times


@pytest.mark.parametrize("style", ["acoustic", "cinematic"])
@pytest.mark.parametrize("random_seed", [1, 2, 3])
def test_boundaries_are_on_time_and_on_bar_lines(make_piece: MakePiece, style: str, random_seed: int) -> None:
    edges_s = (0, 7.31, 7.9, 12.2, 12.24, 31.7, 231.17, 263.003)
    file = read(make_piece(*edges_s, style=style, random_seed=random_seed))
    marks = marked_times_s(file)
    assert [text for _, text in marks] == list(Emotion)
    assert [time for time, _ in marks] == pytest.approx(edges_s[:-1], abs=0.002)
    assert file.length == pytest.approx(edges_s[-1], abs=0.002)
    assert marker_ticks(file) <= bar_line_ticks(file)


def marker_ticks(file: mido.MidiFile) -> set[int]:
    now, ticks = 0, set()
    for message in file.tracks[0]:
        now += message.time
        if message.type == "marker":
            ticks.add(now)
    return ticks


def bar_line_ticks(file: mido.MidiFile) -> set[int]:
    """All bar lines that the time signatures imply."""
    now, changes = 0, []
    for message in file.tracks[0]:
        now += message.time
        if message.type == "time_signature":
            bar = file.ticks_per_beat * 4 * message.numerator // message.denominator
            changes.append((now, bar))
    changes.append((now + 1, 1))
    return {tick for (start, bar), (end, _) in itertools.pairwise(changes) for tick in range(start, end, bar)}


def test_a_thousand_short_spans_do_not_drift(make_piece: MakePiece) -> None:
    edges_s = [index * 1.013 for index in range(1001)]
    times = [time for time, _ in marked_times_s(read(make_piece(*edges_s)))]
    assert times == pytest.approx(edges_s[:-1], abs=0.002)


def test_tracks_are_named_and_keys_are_written(make_piece: MakePiece) -> None:
    piece = make_piece(0, 30, 60, emotions=(Emotion.JOY, Emotion.SADNESS))
    file = read(piece)
    names = [track.name for track in file.tracks]
    assert names[0] == "timeline"
    assert {"lead bright", "bass calm", "drums"} <= set(names)
    keys = [message.key for message in file.tracks[0] if message.type == "key_signature"]
    assert keys == [section.key.signature for section in compose(piece).sections]


def test_all_notes_are_in_the_file(make_piece: MakePiece) -> None:
    piece = make_piece(0, 20, 40)
    struck = [message for message in read(piece) if message.type == "note_on" and message.velocity]
    assert len(struck) == len(compose(piece).notes)


def test_notes_keep_their_time_through_tempo_changes(make_piece: MakePiece) -> None:
    """To a tick (1.6 ms at 75 bpm) by the file's own tempo map."""
    piece = make_piece(0, 20, 40, 60, emotions=(Emotion.ANGER, Emotion.FEAR, Emotion.SADNESS))
    score = compose(piece)
    assert any(bar.end_beat_s != bar.beat_s for bar in score.bars)
    now, struck = 0.0, []
    for message in read(piece):
        now += message.time
        if message.type == "note_on" and message.velocity:
            struck.append(now)
    assert sorted(struck) == pytest.approx(sorted(note.start_s for note in score.notes), abs=0.002)


def test_a_bar_whose_tempo_changes_has_a_tempo_for_each_beat(make_piece: MakePiece) -> None:
    bar = compose(make_piece(0, 8)).bars[0]
    faster = replace(bar, beats=4, beat_s=0.5, end_beat_s=0.4)
    steady = replace(bar, start_s=1.8, number=1, beats=4, beat_s=0.4, end_beat_s=0.4)
    score = replace(compose(make_piece(0, 3.4)), bars=(faster, steady), notes=(), controls=())
    file = mido.MidiFile(file=io.BytesIO(to_midi(score)))
    tempi = [message.tempo for message in file.tracks[0] if message.type == "set_tempo"]
    assert tempi == pytest.approx([487500, 462500, 437500, 412500, 400000], abs=1)
    assert file.length == pytest.approx(3.4, abs=1e-5)


def test_controllers_move_when_the_score_says(make_piece: MakePiece) -> None:
    piece = make_piece(0, 20, 40, style="acoustic")
    now, moved = 0.0, defaultdict[tuple[int, ...], list[float]](list)
    for message in read(piece):
        now += message.time
        if message.type == "control_change":
            moved[message.channel, message.control, message.value].append(now)
    controls = compose(piece).controls
    assert any(control.time_s > 0 for control in controls)
    for control in controls:
        assert min(abs(time_s - control.time_s) for time_s in moved[control[1:]]) < 0.002


def test_phrases_are_named(make_piece: MakePiece) -> None:
    piece = make_piece(0, 40, 60)
    cues = [message.text for message in read(piece).tracks[0] if message.type == "cue_marker"]
    bars = compose(piece).bars
    named = [name for name, _ in itertools.groupby(bars, key=lambda bar: (bar.section, bar.phrase))]
    assert cues == [phrase for _, phrase in named]


@pytest.mark.parametrize("mode", MODES)
def test_every_key_has_a_signature(make_piece: MakePiece, mode: str) -> None:
    score = compose(make_piece(0, 5))
    for tonic in range(12):
        (section,) = score.sections
        file = to_midi(replace(score, sections=(replace(section, key=Key(tonic, mode)),)))
        assert mido.MidiFile(file=io.BytesIO(file)).tracks
