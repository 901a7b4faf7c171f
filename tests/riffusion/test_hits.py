"""Cuts that fall on beats, and accents at them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from etbgm_kit.types import Cut, Emotion
from etbgm_riffusion.composer.accents import Hit, accented
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.pulse import TEMPO, strong
from etbgm_riffusion.composer.score import Event, Score
from etbgm_riffusion.types import Hits, Piece

MakePiece = Callable[..., Piece]


def nearest_s(score: Score, times_s: list[float]) -> np.ndarray:
    """How far each time is from a beat."""
    beats_s = np.array([bar.time_s(float(beat)) for bar in score.bars for beat in range(round(bar.beats))])
    return np.array([np.abs(beats_s - time_s).min() for time_s in times_s])


def cuts_at(*times_s: float) -> tuple[Cut, ...]:
    return tuple(Cut(time_s, 0.9) for time_s in times_s)


TIMES_S = (4.4, 9.1, 15.7, 21.2, 27.3, 34.9, 39.6)


@pytest.fixture(scope="module")
def pieces(make_piece: MakePiece) -> list[Piece]:
    return [
        replace(make_piece(0, 22, 45, emotions=(Emotion.JOY, Emotion.FEAR), random_seed=seed, style=style),
                cuts=cuts_at(*TIMES_S))
        for seed, style in enumerate(("pop", "cinematic", "electronic", "acoustic"))
    ]  # fmt: skip


def test_strong_cuts_fall_on_beats_and_boundaries_stay(pieces: list[Piece]) -> None:
    off, on = [], []
    for piece in pieces:
        plain, met = (compose(replace(piece, hits=hits)) for hits in (Hits.OFF, Hits.SUBTLE))
        off += nearest_s(plain, list(TIMES_S)).tolist()
        on += nearest_s(met, list(TIMES_S)).tolist()
        assert met.bars[-1].end_s == pytest.approx(45, abs=1e-6)
        assert min(abs(bar.start_s - 22) for bar in met.bars) < 1e-6
        for section in met.sections:
            if section.beats_s:
                assert max(section.beats_s) / min(section.beats_s) <= (1 + TEMPO) / (1 - TEMPO) + 0.01
    assert np.mean(np.array(on) <= 0.08) >= 0.7
    assert np.mean(np.array(off) <= 0.08) < 0.5


def test_without_hits_cuts_change_nothing(pieces: list[Piece]) -> None:
    assert compose(pieces[0]).notes == compose(replace(pieces[0], cuts=())).notes


def test_a_strong_hit_is_louder_than_what_is_around_it(pieces: list[Piece]) -> None:
    plain, marked = (compose(replace(pieces[0], hits=hits)) for hits in (Hits.SUBTLE, Hits.STRONG))
    for time_s in TIMES_S[:-1]:
        loudest = [
            max((note.velocity for note in score.notes if abs(note.start_s - time_s) <= 0.05), default=0)
            for score in (plain, marked)
        ]
        assert loudest[1] > loudest[0]
        assert not any(time_s - 0.15 < note.start_s < time_s - 0.06 for note in marked.notes)


def test_music_does_not_surprise_under_speech(make_piece: MakePiece) -> None:
    spoken = make_piece(0, 30, speech=((0.0, 29.0),), style="pop")
    subtle, marked = (
        replace(spoken, cuts=cuts_at(5.0, 12.0, 20.0), hits=hits) for hits in (Hits.SUBTLE, Hits.STRONG)
    )
    assert compose(subtle).notes == compose(marked).notes


@pytest.mark.parametrize(
    "times_s", [(0.01, 11.99), (0.001,), (5.98, 6.02), tuple(i / 10 for i in range(1, 120))]
)
def test_cuts_at_edges_and_in_every_picture_are_survived(
    make_piece: MakePiece, times_s: tuple[float, ...]
) -> None:
    piece = replace(make_piece(0, 6, 12), cuts=cuts_at(*times_s), hits=Hits.STRONG)
    assert compose(piece).bars[-1].end_s == pytest.approx(12, abs=1e-6)


def test_of_rapid_cuts_the_strongest_count() -> None:
    cuts = [Cut(1.0, 0.6), Cut(1.5, 0.9), Cut(2.0, 0.7), Cut(9.0, 0.4), Cut(12.0, 0.5)]
    assert [cut.time_s for cut in strong(cuts)] == [1.5, 12.0]


def test_an_accent_takes_the_notes_of_its_beat_along(pieces: list[Piece]) -> None:
    bar = compose(pieces[0]).bars[2]
    events = [Event(0.0, 4.0, 60, 70), Event(1.75, 0.25, 62, 70), Event(2.0, 1.0, 64, 70)]
    played = accented("lead", events, bar, [Hit(2.0625, 0.9)], 80, has_drums=True)
    assert Event(2.0625, 1.0, 64, 106) in played
    assert Event(0.0, 1.5625, 60, 70) in played
    assert not any(event.pitch == 62 for event in played)


def test_a_hit_that_a_user_adds_falls_on_a_beat(pieces: list[Piece]) -> None:
    off_s = []
    for piece in pieces:
        for time_s in (12.3, 31.07):
            added = tuple(sorted((*cuts_at(*TIMES_S), Cut(time_s, 1.0, by_user=True))))
            off_s += nearest_s(compose(replace(piece, cuts=added, hits=Hits.SUBTLE)), [time_s]).tolist()
    assert np.mean(np.array(off_s) <= 0.08) >= 0.8


def test_a_dropped_hit_has_no_accent(pieces: list[Piece]) -> None:
    weakened = tuple(
        replace(cut, strength=0.0) if cut.time_s == TIMES_S[3] else cut for cut in pieces[0].cuts
    )
    without = tuple(cut for cut in pieces[0].cuts if cut.time_s != TIMES_S[3])
    scores = [compose(replace(pieces[0], cuts=cuts, hits=Hits.STRONG)) for cuts in (weakened, without)]
    assert scores[0].notes == scores[1].notes != compose(replace(pieces[0], hits=Hits.STRONG)).notes


def test_a_users_hits_come_before_those_that_were_found() -> None:
    cuts = [Cut(1.0, 1.0), Cut(1.5, 0.6, by_user=True), Cut(2.0, 0.6, by_user=True), Cut(9.0)]
    assert [cut.time_s for cut in strong(cuts)] == [1.5, 2.0, 9.0]
