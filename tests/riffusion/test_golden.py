"""The composer's notes and sound are those that were last listened to."""

import hashlib

import numpy as np
import pytest

from etbgm_kit.types import Span
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.sound.installed import find_soundfont
from etbgm_riffusion.composer.sound.render import render
from etbgm_riffusion.composer.sound.synth import Synth
from tests.golden import assert_sounds_as_kept, kept
from tests.riffusion.conftest import MakePiece

RATE_HZ = 48000
EDGES_S = (0.0, 6.0, 13.5, 20.0)
SPEECH_S = ((2.0, 5.0), (8.0, 12.0))


def test_the_golden_score_has_the_same_notes(make_piece: MakePiece) -> None:
    score = compose(make_piece(*EDGES_S, speech=SPEECH_S))
    found = {}
    for voice in score.voices:
        notes = [
            (round(note.start_s, 4), round(note.end_s, 4), note.pitch, note.velocity)
            for note in score.notes
            if note.channel == voice.channel
        ]
        found[voice.name] = [len(notes), hashlib.sha256(repr(notes).encode()).hexdigest()]
    assert sum(number for number, _ in found.values()) > 50
    assert found == kept("score", found), "the notes differ: if that was meant, see tests/golden.py"


def test_the_golden_score_sounds_the_same(make_piece: MakePiece, synth: Synth) -> None:
    if (synth.name.partition("-")[0], find_soundfont(None).stem) != ("fluidsynth", "FluidR3_GM"):
        pytest.skip("the golden music was played by libfluidsynth with FluidR3_GM")
    score = compose(make_piece(*EDGES_S, speech=SPEECH_S))
    blocks = [parts[0] for parts in render(score, Span(0, 20), synth, RATE_HZ, lambda _: None)]
    assert_sounds_as_kept("music", np.concatenate(blocks), RATE_HZ)
