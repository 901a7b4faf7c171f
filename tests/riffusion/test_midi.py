"""The MIDI file, read back with mido."""

import io
import itertools
from collections.abc import Callable

import mido
import pytest

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.midi import to_midi
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
