"""The form: bars, keys and chords."""

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.plan import fit_bars, make_plan, unit_starts
from etbgm_riffusion.composer.profiles import PROFILES
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.composer.theory import MODES, Chord, Key, nearest, voice
from etbgm_riffusion.types import Piece

MakePiece = Callable[..., Piece]


@given(duration_s=st.floats(5, 3600), tempo_bpm=st.floats(60, 132), meter=st.sampled_from([3, 4]))
def test_bars_fill_a_span_at_nearly_the_wanted_tempo(duration_s: float, tempo_bpm: float, meter: int) -> None:
    bars = fit_bars(duration_s, 60 / tempo_bpm, meter)
    reached_bpm = 60 * sum(bars) / duration_s
    assert reached_bpm == pytest.approx(tempo_bpm, rel=0.26 if duration_s < 10 else 0.11)
    assert set(bars[:-1]) <= {float(meter)}


@pytest.mark.parametrize("duration_s", [0.04, 0.3, 1.0, 1.7])
def test_a_span_shorter_than_a_bar_is_one_short_bar(duration_s: float) -> None:
    (beats,) = fit_bars(duration_s, 0.6, 4)
    assert abs(math.log(beats * 0.6 / duration_s)) < math.log(1.9)


@settings(max_examples=25, deadline=None)
@given(
    lengths_s=st.lists(st.floats(0.04, 40), min_size=1, max_size=12),
    random_seed=st.integers(0, 2**53 - 1),
    style=st.sampled_from(sorted(STYLES)),
)
def test_every_boundary_is_a_bar_line(
    make_piece: MakePiece, lengths_s: list[float], random_seed: int, style: str
) -> None:
    edges_s = [0.0, *itertools.accumulate(lengths_s)]
    plan = make_plan(make_piece(*edges_s).timeline, random_seed, STYLES[style])
    lines_s = [bar.start_s for bar in plan.bars]
    assert lines_s == sorted(lines_s)
    assert all(min(abs(line - edge) for line in lines_s) < 1e-6 for edge in edges_s[:-1])
    assert plan.bars[-1].end_s == pytest.approx(edges_s[-1], abs=1e-6)
    assert all(b.start_s == pytest.approx(a.end_s, abs=1e-6) for a, b in itertools.pairwise(plan.bars))


def test_an_emotion_that_returns_finds_its_key_and_chords(make_piece: MakePiece) -> None:
    timeline = make_piece(0, 20, 40, 60, emotions=(Emotion.JOY, Emotion.FEAR)).timeline
    plan = make_plan(timeline, 4, STYLES["acoustic"])
    first, other, again = plan.sections
    assert first.key == again.key != other.key
    chords = [[bar.chord for bar in plan.bars if bar.section == i][:4] for i in (0, 2)]
    assert chords[0] == chords[1]


@pytest.mark.parametrize("random_seed", range(8))
def test_neighbouring_keys_share_at_least_five_notes(make_piece: MakePiece, random_seed: int) -> None:
    plan = make_plan(make_piece(*range(0, 80, 10)).timeline, random_seed, STYLES["cinematic"])
    notes = [{section.key.pitch(step) % 12 for step in range(7)} for section in plan.sections]
    assert min(len(a & b) for a, b in itertools.pairwise(notes)) >= 5


def test_a_piece_ends_on_its_tonic(make_piece: MakePiece) -> None:
    plan = make_plan(make_piece(0, 30, 60).timeline, 2, STYLES["cinematic"])
    assert plan.bars[-1].chord.root == plan.sections[-1].key.tonic
    assert plan.bars[-2].chord.root != plan.sections[-1].key.tonic
    assert plan.bars[-1].end_s - plan.bars[-1].start_s >= 2.8


def test_units_begin_at_bars_and_have_a_bounded_length(make_piece: MakePiece) -> None:
    plan = make_plan(make_piece(0, 1, 1.3, 400, 401, 600).timeline, 2, STYLES["ambient"])
    starts_s = [plan.bars[i].start_s for i in unit_starts(plan.bars, 20)]
    lengths_s = [b - a for a, b in itertools.pairwise(starts_s)]
    assert starts_s[0] == 0
    assert min(lengths_s) >= 20
    assert max(lengths_s) < 36


@pytest.mark.parametrize("mode", MODES)
def test_relative_keys_have_the_notes_of_the_major_key(mode: str) -> None:
    key = Key.relative(2, mode)
    assert {key.pitch(step) % 12 for step in range(7)} == {2, 4, 6, 7, 9, 11, 1}
    assert key.signature == "D"


@pytest.mark.parametrize(
    ("symbol", "notes"),
    [("1", (9, 0, 4)), ("5", (4, 7, 11)), ("5M", (4, 8, 11)), ("4s", (2, 7, 9)), ("19", (9, 0, 4, 11))],
)
def test_chord_symbols_follow_the_mode(symbol: str, notes: tuple[int, ...]) -> None:
    assert Chord.parse(symbol, Key(9, "aeolian")).notes == notes


def test_chords_move_by_small_steps() -> None:
    key = Key(0, "ionian")
    first = voice(Chord.parse("1", key), (), 60)
    second = voice(Chord.parse("4", key), first, 60)
    assert max(min(abs(p - q) for q in first) for p in second) <= 2


@given(pitch=st.integers(30, 90), pitch_class=st.integers(0, 11))
def test_the_nearest_pitch_is_at_most_a_tritone_away(pitch: int, pitch_class: int) -> None:
    found = nearest(pitch, [pitch_class])
    assert found % 12 == pitch_class
    assert abs(found - pitch) <= 6


def test_every_emotion_has_two_progressions_in_each_mode() -> None:
    assert set(PROFILES) == set(Emotion)
    for profile in PROFILES.values():
        for mode, progressions in profile.harmony:
            assert mode in MODES
            assert len(set(progressions)) >= 2
            assert all(len(progression.split()) == 4 for progression in progressions)
