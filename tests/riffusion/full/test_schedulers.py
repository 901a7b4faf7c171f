"""The scheduler that a model folder names is followed where the batcher can step it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from etbgm_riffusion.diffusion import noise, pipeline
from etbgm_riffusion.diffusion.batcher import Batcher
from etbgm_riffusion.diffusion.schedulers import REPLACEMENT, STEPPABLE
from tests.riffusion.full.canvases import canvas_of, ignore


def model_with(folder: Path, coarse_folder: Path, scheduler: str, **config: object) -> Path:
    """A copy of the coarse pipeline that names another scheduler."""
    shutil.copytree(coarse_folder, folder)
    index, path = folder / "model_index.json", folder / "scheduler" / "scheduler_config.json"
    parts = json.loads(index.read_text())
    parts["scheduler"] = ["diffusers", scheduler]
    index.write_text(json.dumps(parts))
    before = json.loads(path.read_text())
    kept = {name: before[name] for name in ("beta_start", "beta_end", "beta_schedule", "steps_offset")}
    path.write_text(json.dumps(kept | {"_class_name": scheduler} | config))
    return folder


@pytest.mark.parametrize("name", STEPPABLE)
def test_a_clip_is_what_diffusers_makes_of_it_with_the_folders_scheduler(
    coarse_folder: Path, tmp_path: Path, name: str
) -> None:
    """Within 1e-4 of [-1, 1]."""
    config = {"clip_sample": False} if name == "DDIMScheduler" else {}  # as models of this kind have it
    loaded = pipeline.load(model_with(tmp_path / "model", coarse_folder, name, **config), "cpu")
    assert type(loaded.parts.scheduler).__name__ == name
    canvas = canvas_of(steps=8, denoising_strength=0.65, guidance_scale=1.0)
    batcher = Batcher(loaded)
    made = batcher.denoise(canvas, ignore)
    batcher.close()
    with torch.inference_mode():
        latents = loaded.encode(torch.tensor(canvas.pixels).unsqueeze(0))
    theirs = loaded.parts(
        prompt="joyful piano", image=latents, strength=0.65, num_inference_steps=8, guidance_scale=1.0,
        generator=noise.generator_of(canvas.random_seed, 0), output_type="pt",
    ).images[0]  # fmt: skip
    np.testing.assert_allclose(made, theirs.numpy() * 2 - 1, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("PNDMScheduler", {"skip_prk_steps": True}),
        ("EulerAncestralDiscreteScheduler", {}),
        ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    ],
)
def test_one_that_cannot_be_stepped_is_replaced(
    coarse_folder: Path, tmp_path: Path, name: str, config: dict[str, object]
) -> None:
    scheduler = pipeline.load(
        model_with(tmp_path / "model", coarse_folder, name, **config), "cpu"
    ).parts.scheduler
    assert type(scheduler).__name__ == REPLACEMENT
    assert scheduler.config.beta_end == 0.012
    assert scheduler.config.algorithm_type == "dpmsolver++"


def test_the_revision_changes_with_the_scheduler(coarse_folder: Path, tmp_path: Path) -> None:
    digests = {
        pipeline.load(model_with(tmp_path / name, coarse_folder, name), "cpu").digest()
        for name in STEPPABLE[:2]
    }
    assert len(digests) == 2


def test_bf16_is_near_fp32(coarse_folder: Path) -> None:
    exact, coarse = (
        pipeline.load(coarse_folder, "cpu", precision=precision) for precision in ("fp32", "bf16")
    )
    latents = torch.randn(2, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    times, texts = torch.tensor([100, 700]), torch.stack([exact.embed("sad slow")] * 2)
    with torch.inference_mode():
        expected, found = (one.predict(latents, times, texts) for one in (exact, coarse))
    assert coarse.dtype == torch.bfloat16
    assert 0 < float((found - expected).abs().mean() / expected.abs().mean()) < 0.03
