"""Training of adapters: the loss falls, interrupted runs continue, and results say what they were made of."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.types import DatasetError
from etbgm_riffusion.diffusion import pipeline
from etbgm_riffusion.diffusion.card import read_card
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.training.objective import Objective
from etbgm_riffusion.training.preflight import NotReady, estimated
from etbgm_riffusion.training.recipe import Recipe
from etbgm_riffusion.training.run import Point, RunFolder
from etbgm_riffusion.training.session import Order, Result, Told, train_adapter
from etbgm_riffusion.training.train import Stopped
from tests.riffusion.full import plain_coder, tiny_pipeline
from tests.riffusion.full.datasets import built, write_music

LAYERS = ("conv1", "conv2", "conv_in", "conv_out")
"""Most of a random UNet: a few steps on all of these teach it to leave the noise."""

RECIPE = Recipe(
    steps=12, batch=2, rank=8, targets=LAYERS, learning_rate=1e-2, warm_up=5, min_snr=0.0, ema=0.9,
    check_every=4, sample_every=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its latents are 16 × 16."""
    folder = tmp_path_factory.mktemp("plain")
    plain_coder.build(folder, tiny_pipeline.COARSE)
    return folder


@pytest.fixture(scope="module")
def loaded(model: Path) -> Pipeline:
    """The model, without an adapter."""
    return pipeline.load(model, "cpu")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, out = tmp_path_factory.mktemp("music"), tmp_path_factory.mktemp("dataset")
    write_music(root)
    with (root / "manifest.csv").open("a") as manifest:
        manifest.write("joy/march.wav,own,Somebody,,\n")
    text = (root / "manifest.csv").read_text().splitlines()
    lines = [f"{line},{words}" for line, words in zip(text, ("caption", "joyful piano", ""), strict=True)]
    (root / "manifest.csv").write_text("\n".join(lines).replace("Somebody,,,", "Somebody,,"))
    assert built(root, out).dataset.clips["validation"] > 0
    return out


Train = Callable[..., Result]


@pytest.fixture(scope="module")
def train(model: Path, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Train:
    """Trains in a new folder with changes to the recipe and the order; hears of every point in `points`."""

    def train(points: list[Point] | None = None, stop_at: int = 0, **changes: object) -> Result:
        folder, fields = tmp_path_factory.mktemp("training"), Recipe.__dataclass_fields__
        recipe = replace(RECIPE, **{name: value for name, value in changes.items() if name in fields})
        values = {"dataset": dataset, "name": "tape", "model": model, "device": "cpu",
                  "adapters_dir": folder / "adapters", "run": folder / "run"}  # fmt: skip
        order = Order(**values | {name: value for name, value in changes.items() if name not in fields})  # type: ignore[arg-type]
        heard = [] if points is None else points
        told = Told(
            lambda _: None, lambda _: None, heard.append,
            lambda: bool(stop_at) and max((point.step for point in heard), default=0) >= stop_at,
        )  # fmt: skip
        return train_adapter(order, recipe, None, told)

    return train


@pytest.fixture(scope="module")
def whole(train: Train, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """RECIPE in one run."""
    return train(adapters_dir=tmp_path_factory.mktemp("whole"))


def curve_of(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]


def losses_of(result: Result) -> list[float]:
    return [point.loss for point in result.trained.curve if point.loss is not None]


def held_out_after(result: Result, step: int) -> float:
    (point,) = (one for one in result.trained.curve if one.step == step and one.held_out is not None)
    assert point.held_out
    return point.held_out


def test_a_run_that_is_killed_and_stopped_continues_to_the_same_curve_and_adapter(
    train: Train, whole: Result, model: Path, dataset: Path, tmp_path: Path
) -> None:
    run, adapters = tmp_path / "run", tmp_path / "adapters"
    command = [sys.executable, "-m", "tests.riffusion.full.killed", "6", "train-lora", dataset]
    options = {"name": "tape", "model": model, "run": run, "adapters-dir": adapters, "device": "cpu",
               "steps": 8, "batch": 2, "rank": 8, "learning-rate": 1e-2, "warm-up": 5,
               "min-snr": 0, "ema": 0.9, "check-every": 4, "sample-every": 0,
               "threads": torch.get_num_threads()}  # fmt: skip
    arguments = [f"--{name}={value}" for name, value in options.items()]
    arguments += [f"--target={layer}" for layer in LAYERS]
    died = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert (run / "checkpoint.pt").exists()
    with pytest.raises(Stopped, match="after step 9"):
        train(stop_at=9, run=run, adapters_dir=adapters)
    later: list[Point] = []
    continued = train(later, run=run, adapters_dir=adapters)
    assert [point.step for point in later if point.loss] == [10, 11, 12], (
        "the state was saved when it stopped"
    )
    assert continued.trained == whole.trained
    weights, expected = load_file(continued.path), load_file(whole.path)
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert read_card(continued.path) == read_card(whole.path)


def test_a_run_may_be_longer_but_not_of_another_recipe(tmp_path: Path) -> None:
    RunFolder(tmp_path, RECIPE.identity())
    RunFolder(tmp_path, replace(RECIPE, steps=100, patience=1, sample_every=50).identity())
    with pytest.raises(DatasetError, match="other settings: batch, rank"):
        RunFolder(tmp_path, replace(RECIPE, rank=4, batch=3).identity())


def test_training_stops_when_held_out_clips_get_no_better(train: Train) -> None:
    points: list[Point] = []
    trained = train(points, steps=40, check_every=2, patience=2, learning_rate=1.0, warm_up=0).trained
    assert max(point.step for point in points) < 40
    assert trained.held_out is not None
    assert trained.held_out == min(point.held_out for point in points if point.held_out is not None)


def test_prior_preservation_keeps_what_the_model_predicts(train: Train, whole: Result, dataset: Path) -> None:
    kept = train(prior=dataset, prior_weight=100.0).trained
    free, before = whole.trained.held_out, kept.held_out_before
    assert free and before and kept.held_out
    assert free < 0.9 * before < kept.held_out
    with pytest.raises(DatasetError, match="second data set"):
        train(prior_weight=1.0)


def test_accumulated_batches_equal_one_batch(train: Train, whole: Result) -> None:
    """Of the same clips; noise is drawn per batch, so the loss is of the same size, not the same."""
    two = train(steps=4, batch=1, accumulation=2)
    assert held_out_after(two, 4) == pytest.approx(held_out_after(whole, 4), rel=0.2)


def test_checkpointing_changes_nothing_but_memory(train: Train, whole: Result) -> None:
    less = train(steps=4, checkpointing=True)
    assert losses_of(less) == pytest.approx(losses_of(whole)[:4], rel=1e-4)
    assert held_out_after(less, 4) == pytest.approx(held_out_after(whole, 4), rel=1e-4)


def test_a_model_that_sees_no_captions_has_other_losses(train: Train, whole: Result) -> None:
    blind = train(steps=1, caption_dropout=1.0)
    assert losses_of(blind) != losses_of(whole)[:1]


def test_what_cannot_be_trained_is_told_before_it_starts(
    train: Train, loaded: Pipeline, dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="no name"):
        train(name="../etc")
    with pytest.raises(DatasetError, match="no layers named nothing"):
        estimated(loaded, DatasetFolder(dataset), replace(RECIPE, targets=("nothing",)))
    broken = Path(shutil.copytree(dataset, tmp_path / "broken"))
    row = DatasetFolder(broken).rows("train")[0]
    long = row.model_copy(update={"caption": "joyful " * 90})
    lines = (broken / "train" / "metadata.jsonl").read_text().splitlines()
    (broken / "train" / "metadata.jsonl").write_text("\n".join([long.model_dump_json(), *lines[1:]]))
    DatasetFolder(broken).image("train", DatasetFolder(broken).rows("train")[1]).unlink()
    with pytest.raises(NotReady, match="1 captions have more than 77 tokens") as refused:
        train(dataset=broken, run=tmp_path / "run")
    assert "1 images are missing" in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_memory_grows_with_the_batch_and_the_rank(loaded: Pipeline, dataset: Path) -> None:
    folder = DatasetFolder(dataset)
    small, more_clips, more_rank = (
        estimated(loaded, folder, replace(RECIPE, **change)) for change in ({}, {"batch": 4}, {"rank": 16})
    )
    assert more_clips.activations == pytest.approx(2 * small.activations, rel=0.05)
    assert more_rank.trained == 2 * small.trained
    assert small.disk > 0


def test_losses_are_weighted_by_the_signal_to_noise_ratio(loaded: Pipeline) -> None:
    """min(SNR, 5) / SNR of Hang et al. (2023), with the SNR computed from the model's own schedule."""
    plain, weighted = (Objective(loaded, loaded.parts.unet, gamma) for gamma in (0.0, 5.0))
    timesteps = torch.tensor([5, 300, 900])
    noised = plain.noised(torch.zeros(3, 4, 16, 16), (1,), timesteps)
    with torch.no_grad():
        ratios = weighted.losses(noised, [""] * 3) / plain.losses(noised, [""] * 3)
    config = loaded.parts.scheduler.config
    betas = np.linspace(config.beta_start**0.5, config.beta_end**0.5, 1000) ** 2
    kept = np.cumprod(1 - betas)[timesteps.numpy()]
    snr = kept / (1 - kept)
    np.testing.assert_allclose(ratios.numpy(), np.minimum(snr, 5) / snr, rtol=1e-4)


def test_the_card_says_what_the_adapter_was_made_of(whole: Result, dataset: Path) -> None:
    card = read_card(whole.path)
    assert card is not None
    assert card.licence == "CC-BY-4.0 AND own"
    assert card.commercial_use is True
    assert {source.sha256 for source in card.sources} <= {
        source.sha256 for source in DatasetFolder(dataset).dataset().sources
    }
    assert card.recipe["rank"] == 8
    page = whole.path.with_suffix(".md").read_text()
    assert "joy/march.wav" in page
    assert "CC-BY-4.0" in page
    checks = card.results["checks"]
    assert [check["step"] for check in checks] == [0, 4, 8, 12]
    mean = np.mean(losses_of(whole)[:4])
    assert checks[1]["loss"] == pytest.approx(mean)
    assert f"| 4 | {mean:.5f} | {checks[1]['held_out']:.5f} |" in page
