"""The sound: joins, headroom, loudness, ends."""

import hashlib
import itertools
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import example, given, settings
from hypothesis import strategies as st

from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.balance import NEUTRAL_LUFS
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.sound.render import render
from etbgm_riffusion.composer.sound.synth import Synth
from etbgm_riffusion.composer.sound.units import units_of
from etbgm_riffusion.composer.styles import STYLES
from etbgm_riffusion.types import CueRequest, Piece, Stereo

pytestmark = pytest.mark.process

MakePiece = Callable[..., Piece]
RATE_HZ = 48000


def sound_of(score: Score, cue: Span, synth: Synth) -> Stereo:
    """The bed; a cue without a sample has no blocks."""
    blocks = [parts[0] for parts in render(score, cue, synth, RATE_HZ, lambda _: None)]
    return np.concatenate([np.zeros((0, 2), np.float32), *blocks])


@pytest.fixture(scope="module")
def score(make_piece: MakePiece) -> Score:
    """65 s in three units."""
    return compose(make_piece(0, 17.3, 18.1, 40.5, 65, speech=((20, 30),), random_seed=3))


@pytest.fixture(scope="module")
def whole(score: Score, synth: Synth) -> Stereo:
    return sound_of(score, Span(0, 65), synth)


@settings(max_examples=8, deadline=None)
@given(edges=st.tuples(st.floats(0, 65), st.floats(0.001, 12)))
@example(edges=(64.99999999999999, 1.0))
def test_any_cut_gives_the_same_samples(
    score: Score, whole: Stereo, synth: Synth, edges: tuple[float, float]
) -> None:
    start_s, end_s = edges[0], min(65, edges[0] + edges[1])
    part = sound_of(score, Span(start_s, end_s), synth)
    first, last = round(start_s * RATE_HZ), round(end_s * RATE_HZ)
    assert np.array_equal(part, whole[first:last])


def test_cues_join_to_the_whole(score: Score, whole: Stereo, synth: Synth) -> None:
    edges_s = (0, 11.11111, 23.9, 65)
    cues = [sound_of(score, Span(*edges), synth) for edges in itertools.pairwise(edges_s)]
    assert np.array_equal(np.concatenate(cues), whole)


def test_unit_joins_do_not_click(score: Score, whole: Stereo) -> None:
    steps = np.abs(np.diff(whole, axis=0)).max(axis=1)
    joins = [unit.start for unit in units_of(score, RATE_HZ)[1:]]
    assert len(joins) >= 2
    for join in joins:
        assert steps[join - 64 : join + 64].max() <= np.quantile(steps, 0.999)


def test_the_piece_starts_and_ends_in_silence(whole: Stereo) -> None:
    assert np.all(whole[[0, -1]] == 0)
    last = np.abs(whole[-RATE_HZ // 20 :]).max()
    assert last < 0.05 * np.abs(whole).max()
    assert np.abs(whole[-3 * RATE_HZ : -RATE_HZ]).max() > 0.01


@pytest.mark.parametrize("emotion", Emotion)
def test_every_emotion_has_headroom_and_an_even_loudness(
    make_piece: MakePiece, synth: Synth, emotion: Emotion
) -> None:
    meter = pyloudnorm.Meter(RATE_HZ)
    for style in STYLES:
        piece = compose(make_piece(0, 16, emotions=(emotion,), style=style, random_seed=5))
        sound = sound_of(piece, Span(0, 16), synth)
        assert np.abs(sound).max() < 10 ** (-1 / 20)
        assert meter.integrated_loudness(sound) == pytest.approx(NEUTRAL_LUFS, abs=3), style


@pytest.mark.parametrize("duration_s", [0.04, 0.3, 1.0])
def test_the_shortest_pieces_have_their_length(
    make_piece: MakePiece, synth: Synth, duration_s: float
) -> None:
    sound = sound_of(compose(make_piece(0, duration_s)), Span(0, duration_s), synth)
    assert len(sound) == round(duration_s * RATE_HZ)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() > 1e-4


def test_a_cue_of_a_two_hour_piece(make_piece: MakePiece, synth: Synth) -> None:
    score = compose(make_piece(*range(0, 7201, 20), style="lofi"))
    long, short = (sound_of(score, Span(start_s, 7032), synth) for start_s in (7028, 7031))
    assert np.abs(long).max() > 0.01
    assert np.array_equal(long[3 * RATE_HZ :], short)


def test_memory_does_not_grow_with_the_cue(make_piece: MakePiece, synth: Synth) -> None:
    """But with its longest unit, which may be half as long again as the shortest."""
    score = compose(make_piece(0, 100))
    peaks = []
    for end_s in (45, 100):
        tracemalloc.start()
        for _ in render(score, Span(0, end_s), synth, RATE_HZ, lambda _: None):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] <= 1.5 * peaks[0]
    assert max(peaks) < 150e6


def test_progress_rises_and_can_stop_the_work(score: Score, synth: Synth) -> None:
    class Left(Exception):
        pass

    shares: list[float] = []

    def report(share: float) -> None:
        shares.append(share)
        if share > 0.3:
            raise Left

    with pytest.raises(Left):
        list(render(score, Span(0, 65), synth, RATE_HZ, report))
    assert shares == sorted(shares)
    assert len(shares) > 20


def request_in(folder: Path, piece: Piece) -> tuple[CueRequest, Path]:
    return CueRequest(piece, Span(1.5, 7.25), 44100), folder / "cue.flac"


def test_the_same_request_gives_the_same_bytes_in_another_process(
    make_piece: MakePiece, tmp_path: Path
) -> None:
    program = f"""
from pathlib import Path
from etbgm_kit.types import *
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.types import *
spans = (EmotionSpan(Span(0, 4), Emotion.ANGER, 0.9), EmotionSpan(Span(4, 9), Emotion.DISGUST, 0.9))
engine = ComposerEngine(None)
engine.load()
request = CueRequest(Piece(EmotionTimeline(9, spans), (), 1, "cinematic"), Span(1.5, 7.25), 44100)
engine.generate(request, Path({str(tmp_path / "other.flac")!r}), lambda _: None)
"""
    environment = os.environ | {"PYTHONHASHSEED": "5"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
    request, path = request_in(tmp_path, make_piece(0, 4, 9))
    engine = ComposerEngine(None)
    engine.load()
    engine.generate(request, path, lambda _: None)
    hashes = {hashlib.sha256(file.read_bytes()).digest() for file in (path, tmp_path / "other.flac")}
    assert len(hashes) == 1
    facts = soundfile.info(path)
    assert (facts.samplerate, facts.subtype) == (44100, "PCM_24")
    assert facts.frames == round(7.25 * 44100) - round(1.5 * 44100)


def test_tinysoundfont_plays_the_same_cut_everywhere(score: Score) -> None:
    pytest.importorskip("tinysoundfont", reason="the optional fallback synthesiser is not installed")
    from etbgm_riffusion.composer.sound.installed import find_soundfont
    from etbgm_riffusion.composer.sound.tiny import TinySynth

    tiny = TinySynth(find_soundfont(None))
    long, short = sound_of(score, Span(0, 12), tiny), sound_of(score, Span(5, 12), tiny)
    assert np.array_equal(long[5 * RATE_HZ :], short)
    assert 0.01 < np.abs(long).max() < 10 ** (-1 / 20)
