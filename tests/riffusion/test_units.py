"""The division into units: what each hears, and that nobody hears it."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from etbgm_kit.types import Span
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.score import Control, Note, Score, Voice
from etbgm_riffusion.composer.sound import units
from etbgm_riffusion.composer.sound.installed import find_soundfont
from etbgm_riffusion.composer.sound.octaves import OCTAVES, Tone
from etbgm_riffusion.composer.sound.render import render
from etbgm_riffusion.composer.sound.synth import Synth
from etbgm_riffusion.composer.sound.units import Kind, events_of, units_of
from etbgm_riffusion.types import Piece, Stereo

MakePiece = Callable[..., Piece]
RATE_HZ = 48000
PIANO = Voice("keys", "keys", 0, 0, 100, 64, 0)
"""Without reverb, whose slow modulation begins anew with each player."""
EXPRESSION, SUSTAIN = 11, 64


@pytest.fixture(autouse=True)
def flat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves each unit its own balance of octaves: that of a single note is far from music's."""
    ones = np.ones(len(OCTAVES))
    tone = Tone(ones, ones, np.zeros(len(OCTAVES)))
    monkeypatch.setattr("etbgm_riffusion.composer.sound.render.tone_of", lambda *_: tone)


@pytest.fixture(scope="module")
def empty(make_piece: MakePiece) -> Score:
    """35 s without a note, in two units."""
    score = compose(make_piece(0, 35))
    return replace(score, voices=(PIANO,), notes=(), controls=(), speech=())


@pytest.fixture(scope="module")
def border_s(empty: Score) -> float:
    _, second = units_of(empty, RATE_HZ)
    return second.start / RATE_HZ


def sound_of(score: Score, synth: Synth) -> Stereo:
    blocks = [parts[0] for parts in render(score, Span(0, 35), synth, RATE_HZ, lambda _: None)]
    return np.concatenate(blocks)


def level_db(sound: Stereo, start_s: float, end_s: float) -> float:
    part = sound[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
    return float(10 * np.log10((part.astype(float) ** 2).mean() + 1e-12))


@pytest.fixture(params=["usual", "tinysoundfont"])
def any_synth(request: pytest.FixtureRequest, synth: Synth) -> Synth:
    """Also the synthesiser that has no pedal of its own."""
    if request.param == "usual":
        return synth
    pytest.importorskip("tinysoundfont", reason="the optional fallback synthesiser is not installed")
    from etbgm_riffusion.composer.sound.tiny import TinySynth

    return TinySynth(find_soundfont(None))


def test_the_pedal_holds_notes_over_the_border(empty: Score, border_s: float, any_synth: Synth) -> None:
    note = Note(border_s - 1, border_s - 0.5, 0, 48, 100)
    pedal = (Control(border_s - 0.9, 0, SUSTAIN, 127), Control(border_s + 1.5, 0, SUSTAIN, 0))
    dry = sound_of(replace(empty, notes=(note,)), any_synth)
    held = sound_of(replace(empty, notes=(note,), controls=pedal), any_synth)
    ringing = (border_s + 0.5, border_s + 1.4)
    assert level_db(held, *ringing) > level_db(dry, *ringing) + 15
    after = (border_s + 2.5, border_s + 3)
    assert level_db(held, *after) < level_db(held, *ringing) - 20


def test_a_fresh_unit_finds_controllers_where_they_are(empty: Score, border_s: float, synth: Synth) -> None:
    note = Note(border_s + 2, border_s + 3, 0, 60, 60)  # too soft for compression and saturation
    before = (Control(1.0, 0, EXPRESSION, 100), Control(2.0, 0, EXPRESSION, 40))
    plain = sound_of(replace(empty, notes=(note,)), synth)
    soft = sound_of(replace(empty, notes=(note,), controls=before), synth)
    sounding = (border_s + 2, border_s + 3)
    # General MIDI: 40 log10(40 / 127) dB.
    assert level_db(soft, *sounding) - level_db(plain, *sounding) == pytest.approx(-20, abs=0.5)


def test_nobody_hears_the_border(
    empty: Score, border_s: float, synth: Synth, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a note, a swell and a pedal across it the sound is that of one long unit.

    To 25 dB: a player's second note differs that much from another player's first.
    """
    notes = (
        Note(border_s - 3, border_s + 2.5, 0, 48, 90),
        Note(border_s - 0.5, border_s - 0.2, 0, 55, 90),
        Note(border_s + 0.3, border_s + 0.5, 0, 64, 90),
    )
    controls = (
        *(Control(border_s - 2 + step / 4, 0, EXPRESSION, 80 + 3 * step) for step in range(9)),
        Control(border_s - 0.3, 0, SUSTAIN, 127),
        *(Control(border_s + 0.2 + step / 4, 0, EXPRESSION, 104 - 3 * step) for step in range(4)),
        Control(border_s + 1.8, 0, SUSTAIN, 0),
    )
    score = replace(empty, notes=notes, controls=controls)
    divided = sound_of(score, synth)
    monkeypatch.setattr(units, "UNIT_S", 1000.0)
    assert len(units_of(score, RATE_HZ)) == 1
    whole = sound_of(score, synth)
    span = (border_s - 1, border_s + 3)
    assert level_db(divided - whole, *span) < level_db(whole, *span) - 25


def test_a_note_held_far_over_the_border_is_not_cut(empty: Score, border_s: float, synth: Synth) -> None:
    organ = replace(PIANO, programme=19)
    note = Note(border_s - 2, border_s + 7, 0, 60, 100)
    sound = sound_of(replace(empty, voices=(organ,), notes=(note,)), synth)
    assert level_db(sound, border_s + 6, border_s + 7) > level_db(sound, border_s, border_s + 1) - 3


def test_events_at_one_time_come_in_the_players_order(empty: Score) -> None:
    notes = (Note(1.0, 2.0, 0, 60, 90), Note(2.0, 3.0, 0, 60, 80))
    controls = (Control(2.0, 0, SUSTAIN, 0), Control(2.0, 0, SUSTAIN, 127), Control(2.0, 5, SUSTAIN, 127))
    first, _ = units_of(replace(empty, notes=notes, controls=controls), RATE_HZ)
    events = [event[1:] for event in events_of(first, {0}, RATE_HZ) if event.sample == 2 * RATE_HZ]
    assert events == [
        (Kind.NOTE_OFF, 0, 60, 0),
        (Kind.CONTROL, 0, SUSTAIN, 0),
        (Kind.CONTROL, 0, SUSTAIN, 127),
        (Kind.NOTE_ON, 0, 60, 80),
    ]
