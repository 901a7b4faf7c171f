"""Stems: one for each role that plays, which together are the bed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_kit.types import Span
from etbgm_riffusion.composer.compose import compose
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.composer.score import Score
from etbgm_riffusion.composer.sound.render import render, roles_of
from etbgm_riffusion.composer.sound.synth import Synth
from etbgm_riffusion.types import CueRequest, Piece

MakePiece = Callable[..., Piece]
RATE_HZ = 44100
CUE = Span(18.5, 26.0)


@pytest.fixture(scope="module")
def engine() -> ComposerEngine:
    engine = ComposerEngine(None)
    engine.load()
    return engine


def blocks(score: Score, synth: Synth, roles: tuple[str, ...]) -> Iterator[np.ndarray]:
    return render(score, CUE, synth, RATE_HZ, lambda _: None, roles)


@pytest.mark.parametrize("style", ["acoustic", "jazz", "orchestral"])
def test_stems_add_up_to_the_bed(make_piece: MakePiece, synth: Synth, style: str) -> None:
    """To -90 dBFS, the rounding of filters: through joins of units, the dip and the gain."""
    score = compose(make_piece(0, 10, 20, 40, speech=((3, 22),), style=style))
    roles = roles_of(score)
    parts = np.concatenate(list(blocks(score, synth, roles)), axis=1)
    assert np.abs(parts[1:].sum(axis=0) - parts[0]).max() < 3e-5
    assert np.abs(parts[0]).max() > 0.05
    assert sum(np.abs(part).max() > 0.01 for part in parts[1:]) >= 2


def test_the_bed_is_the_same_with_and_without_stems(
    make_piece: MakePiece, engine: ComposerEngine, tmp_path: Path
) -> None:
    piece = make_piece(0, 20, 40)
    bare, rich = tmp_path / "bare" / "music.flac", tmp_path / "rich" / "music.flac"
    for path, stems in ((bare, False), (rich, True)):
        path.parent.mkdir()
        generated = engine.generate(CueRequest(piece, CUE, RATE_HZ, stems), path, lambda _: None)
        assert {file.name for file in path.parent.iterdir()} == {
            "music.flac",
            *(f"{role}.flac" for role in generated.stems),
        }
        assert bool(generated.stems) is stems
    assert bare.read_bytes() == rich.read_bytes()


def test_stem_files_add_up_to_the_beds(make_piece: MakePiece, engine: ComposerEngine, tmp_path: Path) -> None:
    """To -100 dBFS; each of them is rounded to 24 bits."""
    path = tmp_path / "music.flac"
    request = CueRequest(make_piece(0, 20, 40, style="pop"), CUE, RATE_HZ, stems=True)
    generated = engine.generate(request, path, lambda _: None)
    assert {"lead", "drums"} <= set(generated.stems)
    bed, *stems = (soundfile.read(path.with_name(f"{name}.flac"))[0] for name in ("music", *generated.stems))
    assert len(bed) == round(CUE.end_s * RATE_HZ) - round(CUE.start_s * RATE_HZ)
    assert np.abs(sum(stems) - bed).max() < 1e-5


def test_all_cues_of_a_piece_name_the_same_stems(
    make_piece: MakePiece, engine: ComposerEngine, tmp_path: Path
) -> None:
    piece = make_piece(0, 40, style="jazz")
    named = {
        engine.generate(CueRequest(piece, cue, RATE_HZ, True), tmp_path / "music.flac", lambda _: None).stems
        for cue in (Span(0, 0.5), Span(20, 21))
    }
    assert len(named) == 1


def test_tinysoundfont_plays_stems_too(make_piece: MakePiece) -> None:
    pytest.importorskip("tinysoundfont", reason="the optional fallback synthesiser is not installed")
    from etbgm_riffusion.composer.sound.installed import find_soundfont
    from etbgm_riffusion.composer.sound.tiny import TinySynth

    score = compose(make_piece(0, 20, 40))
    tiny = TinySynth(find_soundfont(None))
    parts = np.concatenate(list(blocks(score, tiny, roles_of(score))), axis=1)
    assert np.abs(parts[1:].sum(axis=0) - parts[0]).max() < 3e-5
    assert np.abs(parts[0]).max() > 0.05
