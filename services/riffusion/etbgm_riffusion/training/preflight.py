"""What is checked before training starts: data, captions, memory, disk. All faults are told at once."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from etbgm_riffusion.dataset.folder import DatasetFolder
from etbgm_riffusion.dataset.types import SPLITS, DatasetError
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.types import CLIP
from etbgm_riffusion.training.recipe import Recipe

if TYPE_CHECKING:
    from diffusers import UNet2DConditionModel

_SHOWN = 5
_STATE_BYTES = 16
"""Bytes of a trained number: weight, gradient and two moments of Adam, in float32."""

_CACHE_BYTES = 2
_GB = 1 << 30


class NotReady(DatasetError):
    """Training cannot start; the message lists every reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("Training cannot start:\n" + "\n".join(f"  {fault}" for fault in faults))


@dataclass(frozen=True)
class Estimate:
    """Memory and disk that a run needs, in bytes.

    `activations` are what the backward pass of one batch needs without checkpointing.
    """

    frozen: int
    trained: int
    activations: int
    disk: int

    @property
    def memory(self) -> int:
        """All memory without checkpointing."""
        return self.frozen + self.trained + self.activations


def check(
    pipeline: Pipeline, folder: DatasetFolder, recipe: Recipe, run: Path, allow_long_captions: bool
) -> Estimate:
    """Checks what can go wrong later; returns the estimate. Raises NotReady."""
    estimate = estimated(pipeline, folder, recipe)
    faults = [*_data_faults(folder), *_room_faults(pipeline, recipe, run, estimate)]
    if not allow_long_captions:
        faults += _caption_faults(pipeline, folder)
    if faults:
        raise NotReady(faults)
    return estimate


def estimated(pipeline: Pipeline, folder: DatasetFolder, recipe: Recipe) -> Estimate:
    """Estimates memory by running the UNet on tensors without data, and disk from the data set."""
    parts = (pipeline.parts.unet, pipeline.parts.vae, pipeline.parts.text_encoder)
    frozen = sum(part.numel() * part.element_size() for one in parts for part in one.parameters())
    trained, activations = _measured(pipeline.parts.unet, pipeline, recipe)
    side = CLIP // pipeline.scale
    clips = sum(folder.dataset().clips.values())
    cached = clips * pipeline.channels * side * side * _CACHE_BYTES
    averages = 4 * trained if recipe.ema else 0
    return Estimate(
        frozen, _STATE_BYTES * trained + averages, activations, cached + 3 * _STATE_BYTES * trained
    )


def _measured(unet: "UNet2DConditionModel", pipeline: Pipeline, recipe: Recipe) -> tuple[int, int]:
    """Returns how many numbers are trained, and the bytes that the backward pass of a batch keeps.

    In a twin of the UNet whose tensors have no data, the adapted layers are trained themselves: their inputs
    are kept, as for adapters.
    """
    from diffusers import UNet2DConditionModel
    from torch._subclasses.fake_tensor import FakeTensorMode

    side = CLIP // pipeline.scale
    kept: dict[int, tuple[object, int]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage._cdata] = (storage, storage.nbytes())
        return tensor

    with FakeTensorMode(), _default_dtype(pipeline.dtype):
        twin = UNet2DConditionModel.from_config(unet.config).requires_grad_(False)
        layers = [part for name, part in twin.named_modules() if _is_target(name, recipe.targets)]
        if not layers:
            raise DatasetError(f"the model has no layers named {', '.join(recipe.targets)}")
        for layer in layers:
            layer.weight.requires_grad_(True)
        own = {part.untyped_storage()._cdata for part in twin.parameters()}
        latents = torch.zeros(recipe.batch, pipeline.channels, side, side)
        texts = torch.zeros(recipe.batch, pipeline.most_tokens, unet.config.cross_attention_dim)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            twin(latents, torch.zeros(recipe.batch, dtype=torch.long), texts)
        trained = recipe.rank * sum(sum(layer.weight.flatten(1).shape) for layer in layers)
        return trained, sum(size for key, (_, size) in kept.items() if key not in own)


def _is_target(name: str, targets: tuple[str, ...]) -> bool:
    """Returns whether PEFT would adapt the layer of this name."""
    return any(name == target or name.endswith(f".{target}") for target in targets)


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _data_faults(folder: DatasetFolder) -> Iterator[str]:
    rows = {split: folder.rows(split) for split in SPLITS}
    if not rows["train"]:
        yield "the data set has no clips to train on"
    missing = [
        f"{split}/{row.file_name}"
        for split in SPLITS
        for row in rows[split]
        if not folder.image(split, row).is_file()
    ]
    if missing:
        yield f"{len(missing)} images are missing: {', '.join(missing[:_SHOWN])}"


def _caption_faults(pipeline: Pipeline, folder: DatasetFolder) -> Iterator[str]:
    most, long = pipeline.most_tokens, []
    for split in SPLITS:
        for row in folder.rows(split):
            count = len(pipeline.parts.tokenizer(row.caption, verbose=False).input_ids)
            if count > most:
                long.append(f"{split}/{row.file_name} ({count})")
    if long:
        yield (
            f"{len(long)} captions have more than {most} tokens, and the rest would be ignored: "
            f"{', '.join(long[:_SHOWN])}. Shorten them, or pass --allow-long-captions"
        )


def _room_faults(pipeline: Pipeline, recipe: Recipe, run: Path, estimate: Estimate) -> Iterator[str]:
    place = next(part for part in (run, *run.parents) if part.is_dir())
    if (free := shutil.disk_usage(place).free) < estimate.disk:
        yield f"{run} needs {estimate.disk / _GB:.1f} GB, but its disk has {free / _GB:.1f} GB"
    if pipeline.device.type != "cuda":
        return
    free = torch.cuda.mem_get_info(pipeline.device)[0]
    needed = estimate.trained + (0 if recipe.checkpointing else estimate.activations)
    if free < needed:
        yield (
            f"the GPU has {free / _GB:.1f} GB free, and a batch of {recipe.batch} needs "
            f"{needed / _GB:.1f} GB: choose a smaller --batch with more --accumulation, or "
            "--gradient-checkpointing"
        )
