"""Sections end with a lift and begin together."""

from dataclasses import replace

import pytest

from etbgm_kit.types import Emotion
from etbgm_riffusion.composer.boundaries import marked
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.grooves import DRUMS
from etbgm_riffusion.composer.score import Bar, Event
from etbgm_riffusion.composer.styles import DRUMS_CHANNEL, STYLES

from .conftest import MakePiece

VELOCITY = 80


@pytest.fixture(scope="module")
def bars(make_piece: MakePiece) -> tuple[Bar, ...]:
    return compose(make_piece(0, 24, 48, emotions=(Emotion.JOY, Emotion.SURPRISE))).bars


def test_all_but_the_pad_lift_before_a_boundary(bars: tuple[Bar, ...]) -> None:
    last = next(bar for bar in bars if bar.remaining == 0)
    end = last.beats
    eighths = [Event(beat / 2, 0.5, 60, VELOCITY) for beat in range(round(2 * end))]
    assert marked("pad", eighths, last, VELOCITY) == eighths
    assert marked("bass", eighths, last, VELOCITY)[-1] == Event(end - 0.5, 0.25, 60, VELOCITY)
    drums = marked("drums", eighths, last, VELOCITY)
    assert drums == eighths[:-1]
    held = marked("lead", [Event(0, end, 60, VELOCITY)], last, VELOCITY)
    assert held == [Event(0, end - 0.25, 60, VELOCITY)]


def test_a_section_begins_with_bass_and_chord(bars: tuple[Bar, ...]) -> None:
    first = next(bar for bar in bars if bar.section == 1)
    later = [Event(1, 1, 60, VELOCITY)]
    assert marked("bass", later, first, VELOCITY) == [
        *later,
        Event(0, 1, first.voicing[0], VELOCITY),
    ]
    chord = marked("keys", [Event(0, 0.5, first.voicing[1], VELOCITY)], first, VELOCITY)
    assert chord[0].velocity > VELOCITY
    assert sorted(event.pitch for event in chord) == sorted(first.voicing[1:])
    assert marked("lead", later, first, VELOCITY) == later


@pytest.mark.parametrize("role", ["bass", "keys", "drums", "lead", "pad"])
def test_the_start_of_the_piece_and_bars_within_sections_stay(bars: tuple[Bar, ...], role: str) -> None:
    events = [Event(0.5, 1, 60, VELOCITY)]
    assert marked(role, events, bars[0], VELOCITY) == events
    assert marked(role, events, replace(bars[1], section=1), VELOCITY) == events


@pytest.mark.parametrize("style", STYLES)
def test_every_style_plays_a_chord_and_its_cymbal_at_a_boundary(make_piece: MakePiece, style: str) -> None:
    piece = make_piece(0, 24, 48, emotions=(Emotion.JOY, Emotion.ANGER), style=style)
    score = compose(piece)
    edge_s = score.sections[1].span.start_s
    struck = [note for note in score.notes if abs(note.start_s - edge_s) < 0.06]
    first = next(bar for bar in score.bars if bar.section == 1)
    pitched = {note.pitch % 12 for note in struck if note.channel != DRUMS_CHANNEL}
    assert {pitch % 12 for pitch in first.voicing} <= pitched
    cymbals = [note for note in struck if note.channel == DRUMS_CHANNEL and note.pitch == DRUMS["crash"]]
    assert bool(cymbals) == bool(STYLES[style].drive)
