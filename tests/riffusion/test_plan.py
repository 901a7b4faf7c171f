"""The form: bars, keys and chords."""

import collections
import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.chance import generator
from etbgm_riffusion.composer.form import make_form
from etbgm_riffusion.composer.harmony import clashes, coloured, harsh, tense
from etbgm_riffusion.composer.plan import Plan, fit_bars, make_plan, unit_starts
from etbgm_riffusion.composer.profiles import PROFILES
from etbgm_riffusion.composer.progressions import LOOPS
from etbgm_riffusion.composer.score import Bar
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.composer.theory import MODES, Chord, Key, nearest
from etbgm_riffusion.composer.voicing import parallels, voice
from etbgm_riffusion.types import Piece

MakePiece = Callable[..., Piece]


def form_of(piece: Piece, random_seed: int, style: str = "cinematic") -> tuple[Plan, tuple[Bar, ...]]:
    """Plan and bars of a piece's timeline."""
    plan = make_plan(piece.timeline, random_seed, STYLES[style])
    return plan, tuple(make_form(plan, random_seed))


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
    _, bars = form_of(make_piece(*edges_s), random_seed, style)
    lines_s = [bar.start_s for bar in bars]
    assert lines_s == sorted(lines_s)
    assert all(min(abs(line - edge) for line in lines_s) < 1e-6 for edge in edges_s[:-1])
    assert bars[-1].end_s == pytest.approx(edges_s[-1], abs=1e-6)
    assert all(b.start_s == pytest.approx(a.end_s, abs=1e-6) for a, b in itertools.pairwise(bars))


def test_the_tempo_arrives_at_the_next_sections_or_at_a_simple_ratio_of_it(make_piece: MakePiece) -> None:
    for random_seed in range(10):
        plan, bars = form_of(make_piece(*range(0, 150, 25)), random_seed)
        for before, after in itertools.pairwise(plan.sections):
            ratio = after.beat_s / before.end_beat_s
            simple = (1 / 2, 2 / 3, 3 / 4, 1, 4 / 3, 3 / 2, 2)
            assert min(abs(ratio / fraction - 1) for fraction in simple) < 1e-9
        for one, next_one in itertools.pairwise(bars):
            if one.section == next_one.section:
                assert one.end_beat_s == pytest.approx(next_one.beat_s)


def test_a_time_inside_a_bar_and_its_beat_belong_together(make_piece: MakePiece) -> None:
    _, bars = form_of(make_piece(0, 20, 45), 3)
    assert any(bar.beat_s != bar.end_beat_s for bar in bars)
    for bar in bars:
        for beat in (0.0, 0.5, 1.75, bar.beats):
            assert bar.beat_at(bar.time_s(beat)) == pytest.approx(beat, abs=1e-9)


def test_a_piece_slows_down_towards_its_end(make_piece: MakePiece) -> None:
    _, bars = form_of(make_piece(0, 60), 1)
    assert bars[-1].end_beat_s > 1.2 * bars[0].beat_s


def test_an_emotion_that_returns_finds_its_key_and_first_theme(make_piece: MakePiece) -> None:
    plan, bars = form_of(make_piece(0, 30, 60, 90, emotions=(Emotion.JOY, Emotion.FEAR)), 4, "acoustic")
    first, other, again = plan.sections
    assert first.key == again.key != other.key
    chords = [[bar.chord for bar in bars if bar.section == i][:4] for i in (0, 2)]
    assert chords[0] == chords[1]


def test_a_pivot_chord_and_a_dominant_prepare_the_next_key(make_piece: MakePiece) -> None:
    changes = 0
    for random_seed in range(20):
        plan, bars = form_of(make_piece(*range(0, 175, 25)), random_seed)
        for bar, following in itertools.pairwise(bars):
            if bar.section == following.section:
                continue
            old, new = plan.sections[bar.section].key, plan.sections[following.section].key
            scales = [{key.pitch(step) % 12 for step in range(7)} for key in (old, new)]
            before = bars[bars.index(bar) - 1]
            assert set(before.chord.notes) <= scales[0] & scales[1]
            changes += old.major_tonic != new.major_tonic
            assert following.chord.root == new.tonic
            assert bar.chord.root != new.tonic
    assert changes > 20


@pytest.mark.parametrize("random_seed", range(8))
def test_neighbouring_keys_share_at_least_five_notes(make_piece: MakePiece, random_seed: int) -> None:
    plan, _ = form_of(make_piece(*range(0, 80, 10)), random_seed)
    notes = [{section.key.pitch(step) % 12 for step in range(7)} for section in plan.sections]
    assert min(len(a & b) for a, b in itertools.pairwise(notes)) >= 5


def test_a_piece_ends_on_its_tonic(make_piece: MakePiece) -> None:
    plan, bars = form_of(make_piece(0, 30, 60), 2)
    assert bars[-1].chord.root == plan.sections[-1].key.tonic
    assert bars[-2].chord.root != plan.sections[-1].key.tonic
    assert bars[-1].end_s - bars[-1].start_s >= 2.2


@pytest.mark.parametrize("style", STYLES)
def test_voices_do_not_move_in_parallel_fifths_or_octaves(make_piece: MakePiece, style: str) -> None:
    """Triads, that is: chords with added notes move in parallel, as they do in popular music."""
    moves = found = far = 0
    for random_seed in range(6):
        _, bars = form_of(make_piece(*range(0, 245, 35)), random_seed, style)
        for before, after in itertools.pairwise(bars):
            moves += before.chord != after.chord
            if len(before.chord.notes) == len(after.chord.notes) == 3:
                found += parallels(before.voicing, after.voicing)
            if before.section == after.section:
                furthest = max(map(abs, leaps(before.voicing[1:], after.voicing[1:])))
                assert furthest <= 12
                far += furthest > 9
    assert found <= 0.02 * moves
    assert far <= 0.01 * moves


def leaps(before: tuple[int, ...], after: tuple[int, ...]) -> list[int]:
    return [min((pitch - note for pitch in before), key=abs) for note in after]


def test_units_begin_at_bars_and_have_a_bounded_length(make_piece: MakePiece) -> None:
    _, bars = form_of(make_piece(0, 1, 1.3, 400, 401, 600), 2, "ambient")
    starts_s = [bars[i].start_s for i in unit_starts(bars, 20)]
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
    assert max(map(abs, leaps(first[1:], second[1:]))) <= 2


def test_parallel_fifths_are_found() -> None:
    assert parallels((48, 55, 64, 72), (50, 57, 65, 74)) == 2
    assert parallels((48, 55, 64, 72), (50, 57, 65, 69)) == 1
    assert parallels((48, 64, 67, 72), (53, 65, 69, 72)) == 0


@given(pitch=st.integers(30, 90), pitch_class=st.integers(0, 11))
def test_the_nearest_pitch_is_at_most_a_tritone_away(pitch: int, pitch_class: int) -> None:
    found = nearest(pitch, [pitch_class])
    assert found % 12 == pitch_class
    assert abs(found - pitch) <= 6


def test_every_style_has_loops_of_its_own_for_every_mode() -> None:
    modes = {mode for profile in PROFILES.values() for mode in profile.modes}
    assert set(LOOPS) == set(STYLES)
    for style, loops in LOOPS.items():
        assert set(loops) == modes, style
        for mode, written in loops.items():
            assert len(set(written)) == len(written) >= 4, (style, mode)
            for loop in written:
                assert len(loop) == 4
                assert loop[0] == "1"
                assert all(len(Chord.parse(symbol, Key(0, mode)).notes) == 3 for symbol in loop)


def test_a_suspended_fourth_stays_in_the_key() -> None:
    for mode, steps in MODES.items():
        for degree in range(1, 8):
            assert {note % 12 for note in Chord.parse(f"{degree}s", Key(0, mode)).notes} <= set(steps)


def test_colours_are_harsh_only_at_a_peak() -> None:
    found = {False: 0, True: 0}
    for random_seed in range(40):
        for degree, at_peak in itertools.product("1234567", found):
            chance = generator(random_seed, degree)
            chord = coloured(chance, degree, Key(3, "phrygian"), ("9", "7", "t", "b", "s"), at_peak)
            found[at_peak] += harsh(chord)
    assert found[False] == 0 < found[True]


def test_a_clash_is_a_semitone_from_a_chord_note() -> None:
    chord = Chord.parse("1", Key(0, "ionian"))
    assert [pitch for pitch in range(60, 72) if clashes(pitch, chord)] == [61, 63, 65, 66, 68, 71]


@pytest.mark.parametrize("bars", range(1, 65))
def test_tension_peaks_in_a_third_of_the_bars_and_at_the_ends_of_periods(bars: int) -> None:
    peaks = [number for number in range(bars) if tense(number, bars)]
    assert len(peaks) <= 0.35 * bars
    assert {number % 8 for number in peaks} <= {5, 6, 7}
    assert 7 in peaks or bars < 8


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("emotion", Emotion)
def test_one_loop_returns_and_others_stand_between(
    make_piece: MakePiece, style: str, emotion: Emotion
) -> None:
    for random_seed in range(3):
        plan, bars = form_of(make_piece(0, 90, emotions=(emotion,)), random_seed, style)
        roots = [(bar.chord.root - plan.sections[0].key.tonic) % 12 for bar in bars[:-2]]
        phrases = [tuple(roots[i : i + 4]) for i in range(0, len(roots) - 3, 4)]
        hook, times = collections.Counter(phrases).most_common(1)[0]
        assert phrases[0] == hook
        assert times >= min(4, len(phrases))
        assert len(phrases) < 6 or len(set(phrases)) > 1
