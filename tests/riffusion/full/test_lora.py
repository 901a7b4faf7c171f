"""LoRA adapters: that they count, with their weights, for those who ask for them only."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from etbgm_kit.errors import CallCancelled, Conflict, NotFound
from etbgm_kit.models.folders import BrokenModel
from etbgm_riffusion.diffusion.batcher import Batcher
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.types import Progress
from tests.riffusion.full.canvases import canvas_of, ignore
from tests.riffusion.full.conftest import batching


@pytest.fixture(scope="session")
def loras(coarse_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two adapters with random weights: of the UNet's attention, and of the text encoder's too."""
    folder = tmp_path_factory.mktemp("loras")
    warm, cold = folder / "warm.safetensors", folder / "cold.safetensors"
    write_lora(coarse_folder, warm, 0, unet=["to_q", "to_v"])
    write_lora(coarse_folder, cold, 1, unet=["to_q", "to_v"], text_encoder=["q_proj", "v_proj"])
    return {"warm": warm, "cold": cold}


@pytest.fixture
def batcher(coarse: Pipeline) -> Iterator[Batcher]:
    """A batcher whose adapters are unloaded afterwards."""
    yield from batching(coarse)


def write_lora(model: Path, file: Path, random_seed: int, **targets: list[str]) -> None:
    """Writes an adapter with random weights for the named layers of the named parts of a pipeline."""
    torch.manual_seed(random_seed)
    parts = StableDiffusionImg2ImgPipeline.from_pretrained(model)
    layers = {}
    for name, adapted in targets.items():
        part = getattr(parts, name)
        part.add_adapter(LoraConfig(r=4, lora_alpha=4, init_lora_weights=False, target_modules=adapted))
        layers[f"{name}_lora_layers"] = get_peft_model_state_dict(part)
    parts.save_lora_weights(file.parent, **layers, weight_name=file.name)


def test_an_adapter_counts_by_its_weight(batcher: Batcher, loras: dict[str, Path]) -> None:
    plain = batcher.denoise(canvas_of(), ignore)
    for name, file in loras.items():
        batcher.load_adapter(name, file)
    assert batcher.adapters() == ("cold", "warm")
    for name in loras:
        none, half, full = (
            batcher.denoise(canvas_of(adapters=((name, weight),)), ignore) for weight in (0.0, 0.5, 1.0)
        )
        np.testing.assert_array_equal(none, plain)
        assert 0 < np.abs(half - plain).mean() < np.abs(full - plain).mean()
    np.testing.assert_array_equal(batcher.denoise(canvas_of(), ignore), plain)


def test_a_reload_is_bit_exact_and_unloading_leaves_nothing(batcher: Batcher, loras: dict[str, Path]) -> None:
    canvas = canvas_of(adapters=(("cold", 0.8), ("warm", 0.4)))
    plain, made = batcher.denoise(canvas_of(), ignore), []
    for _ in range(2):
        for name, file in loras.items():
            batcher.load_adapter(name, file)
        made.append(batcher.denoise(canvas, ignore))
        batcher.unload_adapter("warm")
        batcher.denoise(canvas_of(adapters=(("cold", 0.8),)), ignore)
        batcher.unload_adapter("cold")
        np.testing.assert_array_equal(batcher.denoise(canvas_of(), ignore), plain)
    np.testing.assert_array_equal(*made)
    assert not np.array_equal(made[0], plain)


def test_neighbours_with_other_adapters(batcher: Batcher, loras: dict[str, Path]) -> None:
    for name, file in loras.items():
        batcher.load_adapter(name, file)
    canvases = [canvas_of(adapters=adapters) for adapters in ((), (("warm", 1.0),), (("cold", 1.0),))]
    alone = [batcher.denoise(canvas, ignore) for canvas in canvases]
    with ThreadPoolExecutor(6) as callers:
        together = list(callers.map(lambda canvas: batcher.denoise(canvas, ignore), canvases * 2))
    for mine, theirs in zip(alone * 2, together, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_names_that_are_taken_missing_or_in_use(batcher: Batcher, loras: dict[str, Path]) -> None:
    batcher.load_adapter("warm", loras["warm"])
    with pytest.raises(Conflict, match="warm"):
        batcher.load_adapter("warm", loras["cold"])
    with pytest.raises(NotFound, match="cold"):
        batcher.unload_adapter("cold")

    def unload_meanwhile(_: Progress) -> None:
        with pytest.raises(Conflict, match="in use"):
            batcher.unload_adapter("warm")
        raise CallCancelled

    with pytest.raises(CallCancelled):
        batcher.denoise(canvas_of(adapters=(("warm", 1.0),)), unload_meanwhile)


@pytest.mark.parametrize("damage", ["cut off", "other weights", "no safetensors", "absent"])
def test_a_broken_adapter_is_one_clear_error(
    batcher: Batcher, loras: dict[str, Path], tmp_path: Path, damage: str
) -> None:
    plain = batcher.denoise(canvas_of(), ignore)
    file = tmp_path / ("warm.bin" if damage == "no safetensors" else "warm.safetensors")
    whole = loras["warm"].read_bytes()
    if damage == "other weights":
        save_file({"unet.nothing.lora_A.weight": torch.zeros(4, 4)}, file)
    elif damage != "absent":
        file.write_bytes(whole[: len(whole) // 2] if damage == "cut off" else whole)
    with pytest.raises(BrokenModel, match="warm"):
        batcher.load_adapter("warm", file)
    assert batcher.adapters() == ()
    np.testing.assert_array_equal(batcher.denoise(canvas_of(), ignore), plain)


def test_an_adapter_that_is_broken_half_way_leaves_the_others_at_work(
    batcher: Batcher, loras: dict[str, Path], tmp_path: Path
) -> None:
    for name, file in loras.items():
        batcher.load_adapter(name, file)
    both = canvas_of(adapters=(("cold", 1.0), ("warm", 0.5)))
    made = batcher.denoise(both, ignore)
    weights = load_file(loras["cold"])
    cut = {name: weight[:, 1:].contiguous() for name, weight in weights.items() if "text_encoder" in name}
    save_file(weights | cut, tmp_path / "broken.safetensors")
    with pytest.raises(BrokenModel, match="broken"):
        batcher.load_adapter("broken", tmp_path / "broken.safetensors")
    assert batcher.adapters() == ("cold", "warm")
    np.testing.assert_array_equal(batcher.denoise(both, ignore), made)
