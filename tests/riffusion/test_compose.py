"""The score: what the voices write."""

import ctypes
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.composer.synth import find_synth
from etbgm_riffusion.types import Piece

MakePiece = Callable[..., Piece]


def onsets_per_s(score: Score, start_s: float, end_s: float, role: str = "") -> float:
    """Distinct onsets per second of all pitched voices, or of one role, in [start, end)."""
    channels = {voice.channel for voice in score.voices if voice.name.startswith(role)}
    starts = {note.start_s for note in score.notes if note.channel in channels and note.channel != 9}
    return sum(start_s <= start < end_s for start in starts) / (end_s - start_s)


def test_the_same_piece_is_the_same_in_another_process(make_piece: MakePiece) -> None:
    program = """
import ctypes
import hashlib
from etbgm_kit.types import *
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.types import Piece
spans = tuple(EmotionSpan(Span(i * 8, i * 8 + 8), e, 0.9) for i, e in enumerate(Emotion))
piece = Piece(EmotionTimeline(56, spans), (Span(3, 9),), 12345, "auto")
print(hashlib.sha256(repr(compose(piece)).encode()).hexdigest())
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONHASHSEED": "77"},
        capture_output=True,
        text=True,
        check=True,
    )
    piece = make_piece(*range(0, 57, 8), speech=((3, 9),), random_seed=12345, style="auto")
    assert done.stdout.strip() == hashlib.sha256(repr(compose(piece)).encode()).hexdigest()


def test_other_random_seeds_give_other_pieces(make_piece: MakePiece) -> None:
    scores = [compose(make_piece(0, 20, 40, random_seed=seed)) for seed in range(6)]
    melodies = {tuple(note.pitch for note in score.notes) for score in scores}
    assert len(melodies) == 6
    assert len({score.sections[0].key for score in scores}) > 2


def test_auto_chooses_among_all_styles(make_piece: MakePiece) -> None:
    chosen = {compose(make_piece(0, 3, random_seed=seed, style="auto")).style for seed in range(40)}
    assert chosen == set(STYLES)


@pytest.mark.parametrize("style", STYLES)
def test_the_music_thins_out_and_moves_down_under_speech(make_piece: MakePiece, style: str) -> None:
    emotions = (Emotion.JOY,)
    bare = compose(make_piece(0, 60, emotions=emotions, style=style))
    spoken = compose(make_piece(0, 60, emotions=emotions, style=style, speech=((10, 50),)))
    assert onsets_per_s(spoken, 10, 50) < 0.6 * onsets_per_s(bare, 10, 50)
    assert onsets_per_s(spoken, 10, 50, "lead") < 0.4 * onsets_per_s(bare, 10, 50, "lead")
    assert onsets_per_s(spoken, 51, 58) == onsets_per_s(bare, 51, 58)
    low = {voice.channel for voice in spoken.voices if voice.name.startswith(("lead", "keys"))}
    assert max(n.pitch for n in spoken.notes if n.channel in low and 10 <= n.start_s < 50) <= 71


def test_emotions_differ_as_the_literature_says(make_piece: MakePiece) -> None:
    def means(emotion: Emotion) -> tuple[float, float, float]:
        scores = [compose(make_piece(0, 40, emotions=(emotion,), random_seed=seed)) for seed in range(5)]
        notes = [note for score in scores for note in score.notes if note.channel != 9]
        return (
            sum(onsets_per_s(score, 0, 40) for score in scores),
            sum(note.velocity for note in notes) / len(notes),
            sum(note.pitch for note in notes) / len(notes),
        )

    rate, loudness, register = zip(*(means(emotion) for emotion in Emotion), strict=True)
    of = {emotion: i for i, emotion in enumerate(Emotion)}
    anger, fear, joy = of[Emotion.ANGER], of[Emotion.FEAR], of[Emotion.JOY]
    neutral, sadness = of[Emotion.NEUTRAL], of[Emotion.SADNESS]
    assert min(rate[joy], rate[anger], rate[fear]) > rate[neutral] > rate[sadness]
    assert loudness[anger] > loudness[joy] > loudness[neutral] > loudness[sadness]
    assert register[joy] > register[sadness]
    assert register[fear] > register[anger]


@settings(max_examples=20, deadline=None)
@given(
    lengths_s=st.lists(st.floats(0.04, 12), min_size=1, max_size=8),
    random_seed=st.integers(0, 2**53 - 1),
    style=st.sampled_from([*STYLES, "auto"]),
)
def test_any_timeline_gives_playable_notes_inside_the_piece(
    make_piece: MakePiece, lengths_s: list[float], random_seed: int, style: str
) -> None:
    edges_s = [0.0]
    for length_s in lengths_s:
        edges_s.append(edges_s[-1] + length_s)
    score = compose(make_piece(*edges_s, random_seed=random_seed, style=style))
    assert score.notes
    assert all(0 <= note.start_s < note.end_s <= edges_s[-1] + 0.5 for note in score.notes)
    assert all(20 <= note.pitch <= 108 and 1 <= note.velocity <= 127 for note in score.notes)
    last_end: dict[tuple[int, int], float] = {}
    for note in score.notes:
        place = (note.channel, note.pitch)
        assert note.start_s >= last_end.get(place, 0)
        last_end[place] = note.end_s


def test_the_last_chord_ends_before_the_piece_does(make_piece: MakePiece) -> None:
    score = compose(make_piece(0, 30))
    assert max(note.end_s for note in score.notes) == pytest.approx(30 - 0.8, abs=0.01)


def test_a_three_hour_timeline_is_composed_in_seconds(make_piece: MakePiece) -> None:
    score = compose(make_piece(0, 3 * 3600.0, emotions=(Emotion.NEUTRAL,)))
    assert score.bars[-1].end_s == pytest.approx(3 * 3600)
    assert len(score.notes) < 200_000


def test_without_synthesiser_the_debian_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    monkeypatch.setitem(sys.modules, "tinysoundfont", None)
    monkeypatch.delitem(sys.modules, "etbgm_riffusion.composer.tiny", raising=False)
    with pytest.raises(RuntimeError, match="libfluidsynth3 and fluid-soundfont-gm"):
        find_synth(Path("any.sf2"))
