"""The engine riffusion with a tiny model of random weights: what it promises of every sound."""

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from etbgm_kit.errors import CallCancelled, InvalidField
from etbgm_kit.models.catalogue import Hub, find
from etbgm_kit.models.folders import BrokenModel
from etbgm_kit.types import Emotion, Span
from etbgm_riffusion.composer.engine import ComposerEngine
from etbgm_riffusion.diffusion import batcher as batching
from etbgm_riffusion.diffusion import grid, pipeline, prompts
from etbgm_riffusion.diffusion.batcher import Batcher
from etbgm_riffusion.diffusion.cues import PARAMS, Cues
from etbgm_riffusion.diffusion.engine import DiffusionEngine, Means, commit_of
from etbgm_riffusion.diffusion.painter import Painter
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.types import CLIP
from etbgm_riffusion.spectrogram.codec import Codec
from etbgm_riffusion.types import CueRequest, DiffusionSettings, Piece
from tests.riffusion.conftest import MakePiece

LITTLE = DiffusionSettings(denoising_strength=0.5, steps=2, guidance_scale=1.0)
"""One step."""


def nothing(share: float) -> None:
    """Hears of progress."""


def request(piece: Piece, start_s: float = 0.0) -> CueRequest:
    return CueRequest(piece, Span(start_s, piece.timeline.duration_s), 44100, diffusion=LITTLE)


def engine_of(folder: Path, **means: object) -> DiffusionEngine:
    values = {"prompts_file": None, "adapters_dir": folder / "adapters", "rows": 8, "calls": 2} | means
    engine = DiffusionEngine(ComposerEngine(None), Means(model=folder, device="cpu", **values))  # type: ignore[arg-type]
    engine.load()
    return engine


@pytest.fixture(scope="module")
def engine(tiny_folder: Path) -> Iterator[DiffusionEngine]:
    engine = engine_of(tiny_folder)
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def piece(make_piece: MakePiece) -> Piece:
    return make_piece(0, 1.0, 2.01, emotions=(Emotion.JOY, Emotion.SADNESS), style="pop")


Perform = Callable[..., NDArray[np.float64]]


@pytest.fixture
def perform(engine: DiffusionEngine, tmp_path: Path) -> Perform:
    """Writes a cue and reads it again, as whole numbers."""

    def perform(
        piece: Piece,
        start_s: float = 0.0,
        end_s: float | None = None,
        settings: DiffusionSettings = LITTLE,
        rate: int = 44100,
    ) -> NDArray[np.float64]:
        cue = Span(start_s, piece.timeline.duration_s if end_s is None else end_s)
        path = tmp_path / "music.flac"
        engine.generate(CueRequest(piece, cue, rate, diffusion=settings), path, nothing)
        sound, found_rate = soundfile.read(path, dtype="int32")
        assert found_rate == rate
        return np.asarray(sound)

    return perform


Fresh = Callable[..., Cues]


@pytest.fixture
def fresh(batcher: Batcher) -> Fresh:
    """What plays cues as the engine does, and remembers none of its canvases."""
    composer = ComposerEngine(None)
    composer.load()

    def fresh(prompts_file: Path | None = None) -> Cues:
        return Cues(Painter(composer, prompts.load(prompts_file), batcher, Codec(PARAMS)), 1)

    return fresh


@pytest.mark.parametrize("rate", [44100, 48000])
def test_a_cue_is_as_long_as_asked_for_and_cut_out_of_the_piece(
    perform: Perform, piece: Piece, rate: int
) -> None:
    whole = perform(piece, rate=rate)
    assert whole.shape == (round(2.01 * rate), 2)
    middle_s = 1.2345
    parts = [perform(piece, 0, middle_s, rate=rate), perform(piece, middle_s, rate=rate)]
    assert len(parts[0]) == round(middle_s * rate)
    assert np.array_equal(np.concatenate(parts), whole)
    assert whole.std() > 0


def test_the_same_request_gives_the_same_samples_and_another_random_seed_others(
    perform: Perform, fresh: Fresh, piece: Piece
) -> None:
    whole = perform(piece)
    again = np.concatenate([parts[0] for parts in fresh().sound(request(piece), LITTLE, "", nothing)])
    assert np.array_equal(np.rint(again * (2**23 - 1)), whole / 2**8)
    assert not np.array_equal(perform(replace(piece, random_seed=2))[: len(whole)], whole)


def test_settings_change_the_sound(perform: Perform, piece: Piece) -> None:
    kept = perform(piece, settings=replace(LITTLE, denoising_strength=0.0))
    sounds = [kept, perform(piece), perform(piece, settings=replace(LITTLE, guidance_scale=7.0))]
    assert len({sound.tobytes() for sound in sounds}) == 3


def test_an_emotion_change_uses_both_prompts(fresh: Fresh, piece: Piece, tmp_path: Path) -> None:
    sounds = set()
    for joy, sadness in (("piano", "piano"), ("piano", "slow"), ("drums", "piano")):
        words = dict.fromkeys(Emotion, "piano") | {Emotion.JOY: joy, Emotion.SADNESS: sadness}
        table = tmp_path / f"{joy}-{sadness}.toml"
        entries = (f'[emotions.{emotion}]\nprompt = "{prompt}"' for emotion, prompt in words.items())
        table.write_text("\n".join(entries))
        blocks = fresh(table).sound(request(piece), LITTLE, "", nothing)
        sounds.add(np.concatenate([parts[0] for parts in blocks]).tobytes())
    assert len(sounds) == 3


def test_canvases_of_a_long_piece_join(
    perform: Perform, fresh: Fresh, make_piece: MakePiece, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With canvases of 3.84 s that overlap as the real ones, of 32 s, do."""
    overlap = grid.WIDTH - grid.STEP
    monkeypatch.setattr(grid, "STEP", CLIP // 2)
    monkeypatch.setattr(grid, "WIDTH", CLIP // 2 + overlap)
    piece = make_piece(0, 2, 4.6, style="ambient")
    whole = perform(piece)
    assert len(whole) == round(4.6 * 44100)
    parts = [perform(piece, 0, 3.2), perform(piece, 3.2)]
    assert np.array_equal(np.concatenate(parts), whole)
    last = fresh().sound(request(piece, 4.4), LITTLE, "", nothing)  # touches the second canvas only
    tail = np.rint(np.concatenate([parts[0] for parts in last]) * (2**23 - 1))
    assert np.array_equal(tail, whole[-len(tail) :] / 2**8)


def test_a_caller_who_leaves_frees_the_place(
    perform: Perform, engine: DiffusionEngine, make_piece: MakePiece, tmp_path: Path
) -> None:
    piece = make_piece(0, 1, style="jazz")
    heard: list[float] = []

    def leave(share: float) -> None:
        heard.append(share)
        if share > 0.1:
            raise CallCancelled

    with pytest.raises(CallCancelled):
        engine.generate(request(piece), tmp_path / "never.flac", leave)
    assert heard == sorted(heard)
    assert 0.1 < heard[-1] < 0.9
    assert len(perform(piece)) == 44100


def test_progress_rises_to_the_end(engine: DiffusionEngine, make_piece: MakePiece, tmp_path: Path) -> None:
    heard: list[float] = []
    asked = replace(request(make_piece(0, 1)), diffusion=replace(LITTLE, steps=8))
    engine.generate(asked, tmp_path / "music.flac", heard.append)
    assert heard == sorted(heard)
    assert (heard[0], heard[-1]) == (0.0, 1.0)
    assert len(set(heard)) > 6


def test_the_piece_is_the_composers_and_has_no_stems(
    engine: DiffusionEngine, piece: Piece, tmp_path: Path
) -> None:
    composer = ComposerEngine(None)
    composer.load()
    asked = replace(request(piece), stems=True)
    written = composer.generate(asked, tmp_path / "composed.flac", nothing)
    made = engine.generate(asked, tmp_path / "music.flac", nothing)
    assert (made.midi, made.picture, made.sections, made.style) == (
        written.midi,
        written.picture,
        written.sections,
        written.style,
    )
    assert made.stems == ()
    assert any("no stems" in note for note in made.notes)


def test_an_adapter_that_is_not_there_is_refused(
    engine: DiffusionEngine, piece: Piece, tmp_path: Path
) -> None:
    settings = replace(LITTLE, adapters=(("none", 1.0),))
    with pytest.raises(InvalidField, match=r"diffusion\.adapters\[0\]\.name"):
        engine.generate(replace(request(piece), diffusion=settings), tmp_path / "music.flac", nothing)


def test_weights_that_are_cut_off_are_named(tiny_folder: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(tiny_folder, tmp_path / "broken")
    weights = broken / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(BrokenModel, match=str(broken)):
        engine_of(broken)


def test_riffusions_own_weights_are_taken_at_the_commit_that_has_safetensors(tiny_folder: Path) -> None:
    entry = find("riffusion-model-v1")
    assert entry
    assert isinstance(entry.source, Hub)
    assert commit_of("riffusion/riffusion-model-v1") == entry.source.revision
    assert commit_of("somebody/riffusion-model-v1") is None
    assert commit_of(tiny_folder) is None


def test_results_name_weights_and_sounds(engine: DiffusionEngine) -> None:
    info = engine.info()
    assert (info.name, info.device) == ("riffusion", "cpu")
    weights, sounds = info.ingredients
    assert (weights.licence, weights.commercial_use) == ("unknown", None)
    assert weights.source.endswith(weights.name)
    assert sounds.licence == "MIT"


def test_the_revision_changes_with_the_scheduler_and_not_with_the_folder(
    tiny: Pipeline, tiny_folder: Path, tmp_path: Path, engine: DiffusionEngine
) -> None:
    same, other = (Path(shutil.copytree(tiny_folder, tmp_path / name)) for name in ("same", "other"))
    config = other / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace('"epsilon"', '"v_prediction"'))
    assert pipeline.load(same, "cpu").digest() == tiny.digest()
    changed = engine_of(other)
    assert changed.info().revision != engine.info().revision
    changed.close()


def test_the_revision_changes_with_an_adapter_and_with_the_prompts(
    tiny_folder: Path, tmp_path: Path, engine: DiffusionEngine
) -> None:
    table = tmp_path / "own.toml"
    packaged = files("etbgm_riffusion.diffusion").joinpath("prompts.toml").read_text(encoding="utf-8")
    table.write_text(packaged.replace('"piano"', '"grand piano"'))
    adapters = tmp_path / "adapters"
    adapters.mkdir()
    other = engine_of(tiny_folder, adapters_dir=adapters, prompts_file=table)
    revisions = [engine.info().revision, other.info().revision]
    (adapters / "tape.safetensors").write_bytes(b"tape")
    revisions.append(other.info().revision)
    assert len(set(revisions)) == 3
    other.close()


def test_a_compiled_unet_is_another_revision_and_one_that_cannot_be_compiled_is_told(
    tiny_folder: Path, engine: DiffusionEngine, piece: Piece, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, threads = ["It is not compiled.", None], []

    def compile_unet(_: Pipeline) -> str | None:
        threads.append(threading.current_thread().name)
        return told[len(threads) - 1]

    monkeypatch.setattr(batching, "compile_unet", compile_unet)
    refused, compiled = (engine_of(tiny_folder, compile_unet=True) for _ in told)
    assert threads == ["denoiser", "denoiser"], "CUDA graphs belong to the thread that records them"
    assert refused.info().revision == engine.info().revision != compiled.info().revision
    kept = replace(request(piece), diffusion=replace(LITTLE, denoising_strength=0.0))
    assert told[0] in refused.generate(kept, tmp_path / "music.flac", nothing).notes
    for each in (refused, compiled):
        each.close()
