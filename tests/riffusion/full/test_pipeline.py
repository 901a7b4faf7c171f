"""Folders that are whole, and folders that are not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from etbgm_kit.models.folders import BrokenModel
from etbgm_riffusion.diffusion import pipeline
from etbgm_riffusion.diffusion.pipeline import Pipeline

UNET = "unet/diffusion_pytorch_model.safetensors"


def _cut_off(folder: Path) -> None:
    weights = folder / UNET
    weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])


def _missing(folder: Path) -> None:
    (folder / "vae/diffusion_pytorch_model.safetensors").unlink()


def _empty(folder: Path) -> None:
    (folder / "text_encoder/model.safetensors").write_bytes(b"")


def _pickled(folder: Path) -> None:
    weights = folder / UNET
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()


def _garbled(folder: Path) -> None:
    (folder / "unet/config.json").write_text("{")


def _incomplete(folder: Path) -> None:
    weights = load_file(folder / UNET)
    del weights["conv_in.weight"]
    save_file(weights, folder / UNET, {"format": "pt"})


def _of_another_shape(folder: Path) -> None:
    """The text encoder's features are not those that the UNet attends to."""
    config = json.loads((folder / "unet/config.json").read_text())
    (folder / "unet/config.json").write_text(json.dumps(config | {"cross_attention_dim": 48}))


def _not_numbers(folder: Path) -> None:
    weights = load_file(folder / UNET)
    weights["conv_out.bias"][:] = float("nan")
    save_file(weights, folder / UNET, {"format": "pt"})


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_cut_off, ""),
        (_missing, "vae/diffusion_pytorch_model.safetensors"),
        (_empty, "text_encoder/model.safetensors"),
        (_pickled, "missing or empty: unet"),
        (_garbled, ""),
        (_incomplete, "lacks 1 weights, such as conv_in.weight"),
        (_of_another_shape, ""),
        (_not_numbers, "numbers that are none"),
    ],
)
def test_a_broken_folder_is_one_clear_error(
    tiny_folder: Path, tmp_path: Path, damage: Callable[[Path], None], reason: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    damage(folder)
    with pytest.raises(BrokenModel, match=reason) as broken:
        pipeline.load(folder, "cpu")
    assert str(folder) in str(broken.value)
    assert "\n" not in str(broken.value)


def test_the_cpu_computes_in_float32(tiny: Pipeline) -> None:
    assert (tiny.device.type, tiny.dtype, tiny.scale, tiny.channels) == ("cpu", torch.float32, 8, 4)
    assert not any(weights.requires_grad for weights in tiny.parts.unet.parameters())


def test_a_device_that_is_not_there(tiny_folder: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    with pytest.raises(RuntimeError, match="no CUDA device"):
        pipeline.load(tiny_folder, "cuda")


def test_prompts_are_told_apart_and_cut_at_77_tokens(tiny: Pipeline) -> None:
    with torch.inference_mode():
        joyful, sad = tiny.embed("joyful piano"), tiny.embed("sad piano")
        long, longer = tiny.embed("piano " * 80), tiny.embed("piano " * 90)
    assert joyful.shape == (77, 32)
    assert not torch.equal(joyful, sad)
    assert torch.equal(long, longer)
