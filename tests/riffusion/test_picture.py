"""The piano roll: its size and colours, and that every note fills its cells."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from etbgm_kit.media import charts
from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.picture import ROLES, coverage, to_png
from etbgm_riffusion.composer.score import Note
from tests.riffusion.conftest import MakePiece


def colours_of(png: bytes) -> set[tuple[int, ...]]:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert picture.size == (1500, 960)
    return {colour for _, colour in picture.getcolors(1 << 21) or []}


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def test_notes_fill_the_cells_that_they_sound_in() -> None:
    notes = [Note(2.0, 4.5, 0, 60, 127), Note(7.0, 9.0, 0, 62, 127)]
    cells = coverage(notes, 59, 5, 14.0)
    assert cells.shape == (5, 1400)
    np.testing.assert_allclose(cells[1, 200:448], 1, atol=1e-5)
    np.testing.assert_allclose(cells[3, 700:898], 1, atol=1e-5)
    assert cells.sum() == pytest.approx(250 + 200 - 2 * 1.5, abs=1e-2)


def test_a_short_note_of_a_long_piece_is_seen() -> None:
    cells = coverage([Note(3600.0, 3600.5, 0, 60, 127)], 60, 1, 7200.0)
    assert 0 < cells[0, 700] < 0.2
    assert np.count_nonzero(cells > 1e-6) == 1


def test_roles_and_emotions_have_their_colours(make_piece: MakePiece) -> None:
    score = compose(make_piece(0, 12, 24, 36, emotions=(Emotion.JOY, Emotion.SADNESS, Emotion.ANGER)))
    seen = colours_of(to_png(score))
    playing = {note.channel for note in score.notes}
    roles = {voice.role for voice in score.voices if voice.channel in playing}
    assert {rgb(ROLES[role][0]) for role in roles} <= seen
    assert {rgb(charts.COLOURS[section.emotion]) for section in score.sections} <= seen


def test_the_same_score_gives_the_same_bytes(make_piece: MakePiece) -> None:
    piece = make_piece(0, 7, 20, speech=((1, 3),))
    assert to_png(compose(piece)) == to_png(compose(piece))


def test_two_hours_are_drawn_in_seconds(make_piece: MakePiece) -> None:
    score = compose(make_piece(*np.linspace(0, 7200, 400).tolist(), speech=((5, 7000),)))
    begin = time.process_time()
    names = {rgb(charts.COLOURS[emotion]) for emotion in Emotion}
    assert names <= colours_of(to_png(score))
    assert time.process_time() - begin < 4


def test_a_piece_shorter_than_a_bar_can_be_drawn(make_piece: MakePiece) -> None:
    colours_of(to_png(compose(make_piece(0, 0.4))))
