"""Training of adapters: the loss falls, interrupted runs continue, and results say what they were made of."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.types import DatasetError
from etbgm_riffusion.diffusion import pipeline
from etbgm_riffusion.diffusion.card import read_card
from etbgm_riffusion.training.objective import Objective
from etbgm_riffusion.training.preflight import NotReady, estimated
from etbgm_riffusion.training.recipe import Recipe
from etbgm_riffusion.training.run import Point
from etbgm_riffusion.training.session import Order, Result, Told, train_adapter
from etbgm_riffusion.training.train import Stopped
from tests.riffusion.full import plain_coder
from tests.riffusion.full.datasets import built, composer, write_music

LAYERS = ("conv1", "conv2", "conv_in", "conv_out")
"""Most of a random UNet: a few steps on all of these teach it to leave the noise."""

RECIPE = Recipe(
    steps=60, batch=2, rank=8, targets=LAYERS, learning_rate=1e-2, warm_up=5, min_snr=0.0, ema=0.9,
    check_every=20, sample_every=0, sample_emotions=(Emotion.JOY,),
)  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    plain_coder.build(folder)
    return folder


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


@pytest.fixture
def train(model: Path, dataset: Path, tmp_path: Path) -> Train:
    """Trains with changes to the recipe and the order; hears of every point in `points`."""

    def train(points: list[Point] | None = None, stop_at: int = 0, **changes: object) -> Result:
        fields = Recipe.__dataclass_fields__
        recipe = replace(RECIPE, **{name: value for name, value in changes.items() if name in fields})
        values = {"dataset": dataset, "name": "tape", "model": model, "device": "cpu",
                  "adapters_dir": tmp_path / "adapters", "run": tmp_path / "run"}  # fmt: skip
        order = Order(**values | {name: value for name, value in changes.items() if name not in fields})  # type: ignore[arg-type]
        heard = [] if points is None else points
        told = Told(
            lambda _: None, lambda _: None, heard.append,
            lambda: bool(stop_at) and max((point.step for point in heard), default=0) >= stop_at,
        )  # fmt: skip
        return train_adapter(order, recipe, composer() if recipe.sample_every else None, told)

    return train


def curve_of(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]


def test_a_killed_run_continues_to_the_same_curve_and_the_same_adapter(
    train: Train, model: Path, dataset: Path, tmp_path: Path
) -> None:
    whole = train(steps=16, check_every=5, run=tmp_path / "whole", adapters_dir=tmp_path / "a")
    killed = tmp_path / "killed"
    command = [sys.executable, "-m", "etbgm_riffusion.cli", "train-lora", dataset, "--name", "tape"]
    options = {"model": model, "run": killed, "adapters-dir": tmp_path / "b", "device": "cpu", "steps": 16,
               "batch": 2, "rank": 8, "learning-rate": 1e-2, "warm-up": 5, "min-snr": 0, "ema": 0.9,
               "check-every": 5, "sample-every": 0, "threads": torch.get_num_threads()}  # fmt: skip
    arguments = [f"--{name}={value}" for name, value in options.items()]
    arguments += [f"--target={layer}" for layer in LAYERS]
    process = subprocess.Popen([*command, *arguments], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not (killed / "checkpoint.pt").exists() or len(curve_of(killed)) < 9:
        assert process.poll() is None, "it ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    continued = train(steps=16, check_every=5, run=killed, adapters_dir=tmp_path / "b")
    assert curve_of(killed) == curve_of(tmp_path / "whole")
    weights, expected = load_file(continued.path), load_file(whole.path)
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert read_card(continued.path) == read_card(whole.path)


def test_a_run_that_is_asked_to_stop_saves_its_last_step(train: Train, tmp_path: Path) -> None:
    whole = train(steps=8, check_every=4, run=tmp_path / "whole").trained
    points: list[Point] = []
    with pytest.raises(Stopped, match="after step 3"):
        train(points, stop_at=3, steps=8, check_every=4)
    later: list[Point] = []
    assert train(later, steps=8, check_every=4).trained == whole
    assert [point.step for point in later if point.loss] == [4, 5, 6, 7, 8]


def test_a_run_may_be_extended_but_not_changed(train: Train, tmp_path: Path) -> None:
    train(steps=2, check_every=2)
    with pytest.raises(DatasetError, match="other settings: batch, rank"):
        train(steps=2, check_every=2, rank=4, batch=3)
    assert train(steps=4, check_every=2).trained.best_step in (0, 2, 4)
    assert len([point for point in curve_of(tmp_path / "run") if "loss" in point]) == 4


def test_training_stops_when_held_out_clips_get_no_better(train: Train) -> None:
    points: list[Point] = []
    trained = train(points, steps=40, check_every=2, patience=2, learning_rate=1.0, warm_up=0).trained
    assert max(point.step for point in points) < 40
    assert trained.held_out is not None
    assert trained.held_out == min(point.held_out for point in points if point.held_out is not None)


def test_prior_preservation_keeps_what_the_model_predicts(
    train: Train, dataset: Path, tmp_path: Path
) -> None:
    changes = {"steps": 12, "check_every": 12}
    free = train(run=tmp_path / "free", **changes).trained
    kept = train(run=tmp_path / "kept", prior=dataset, prior_weight=100.0, **changes).trained
    assert free.held_out and kept.held_out and kept.held_out_before
    assert free.held_out < 0.9 * kept.held_out_before < kept.held_out
    with pytest.raises(DatasetError, match="second data set"):
        train(prior_weight=1.0)


def test_accumulated_batches_equal_one_batch(train: Train, tmp_path: Path) -> None:
    """Of the same clips; noise is drawn per batch, so the loss is of the same size, not the same."""
    two = train(steps=3, check_every=3, batch=1, accumulation=2, run=tmp_path / "two").trained
    one = train(steps=3, check_every=3, batch=2, run=tmp_path / "one").trained
    assert two.held_out == pytest.approx(one.held_out, rel=0.2)


def test_checkpointing_changes_nothing_but_memory(train: Train, tmp_path: Path) -> None:
    plain = train(steps=3, check_every=3, run=tmp_path / "plain").trained
    less = train(steps=3, check_every=3, run=tmp_path / "less", checkpointing=True).trained
    assert less.held_out == pytest.approx(plain.held_out, rel=1e-4)


def test_what_cannot_be_trained_is_told_before_it_starts(train: Train, dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no name"):
        train(name="../etc")
    with pytest.raises(DatasetError, match="no layers named nothing"):
        train(targets=("nothing",))
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", dataset, broken], check=True)
    row = DatasetFolder(broken).rows("train")[0]
    long = row.model_copy(update={"caption": "joyful " * 90})
    lines = (broken / "train" / "metadata.jsonl").read_text().splitlines()
    (broken / "train" / "metadata.jsonl").write_text("\n".join([long.model_dump_json(), *lines[1:]]))
    DatasetFolder(broken).image("train", DatasetFolder(broken).rows("train")[1]).unlink()
    with pytest.raises(NotReady, match="1 captions have more than 77 tokens") as refused:
        train(dataset=broken)
    assert "1 images are missing" in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_memory_grows_with_the_batch_and_the_rank(model: Path, dataset: Path) -> None:
    loaded, folder = pipeline.load(model, "cpu"), DatasetFolder(dataset)
    small, more_clips, more_rank = (
        estimated(loaded, folder, replace(RECIPE, **change)) for change in ({}, {"batch": 4}, {"rank": 16})
    )
    assert more_clips.activations == pytest.approx(2 * small.activations, rel=0.05)
    assert more_rank.trained == 2 * small.trained
    assert small.disk > 0


def test_losses_are_weighted_by_the_signal_to_noise_ratio(model: Path) -> None:
    """min(SNR, 5) / SNR of Hang et al. (2023), with the SNR computed from the model's own schedule."""
    loaded = pipeline.load(model, "cpu")
    plain, weighted = (Objective(loaded, loaded.parts.unet, gamma) for gamma in (0.0, 5.0))
    timesteps = torch.tensor([5, 300, 900])
    noised = plain.noised(torch.zeros(3, 4, 64, 64), (1,), timesteps)
    with torch.no_grad():
        ratios = weighted.losses(noised, [""] * 3) / plain.losses(noised, [""] * 3)
    config = loaded.parts.scheduler.config
    betas = np.linspace(config.beta_start**0.5, config.beta_end**0.5, 1000) ** 2
    kept = np.cumprod(1 - betas)[timesteps.numpy()]
    snr = kept / (1 - kept)
    np.testing.assert_allclose(ratios.numpy(), np.minimum(snr, 5) / snr, rtol=1e-4)


def test_the_card_says_what_the_adapter_was_made_of(train: Train, dataset: Path) -> None:
    made = train(steps=2, check_every=2, sample_every=2)
    card = read_card(made.path)
    assert card is not None
    assert card.licence == "CC-BY-4.0 AND own"
    assert card.commercial_use is True
    assert {source.sha256 for source in card.sources} <= {
        source.sha256 for source in DatasetFolder(dataset).dataset().sources
    }
    assert card.recipe["rank"] == 8
    page = made.path.with_suffix(".md").read_text()
    assert "joy/march.wav" in page
    checks = card.results["checks"]
    assert [check["step"] for check in checks] == [0, 2]
    losses = [point["loss"] for point in curve_of(made.path.parents[1] / "run") if "loss" in point]
    assert checks[1]["loss"] == pytest.approx(np.mean(losses))
    assert f"| 2 | {np.mean(losses):.5f} | {checks[1]['held_out']:.5f} |" in page
    assert "CC-BY-4.0" in page
    assert list((made.path.parents[1] / "run" / "samples").glob("step-000002-joy.flac"))
    assert list((made.path.parents[1] / "run" / "logs").rglob("events*"))
