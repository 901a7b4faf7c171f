"""The adapter's weights in the UNet: added, averaged, saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from etbgm_riffusion.dataset.types import DatasetError
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.training.recipe import Recipe

ADAPTER = "trained"
"""PEFT's name of the adapter while it is trained."""

Weights = dict[str, Tensor]


class AdapterWeights:
    """A new adapter in `pipeline`'s UNet, and the moving average of its weights."""

    def __init__(self, pipeline: Pipeline, recipe: Recipe) -> None:
        """Raises DatasetError if no layer has one of the target names."""
        from diffusers.training_utils import EMAModel, cast_training_params
        from peft import LoraConfig

        self.unet = pipeline.parts.unet
        self._config = LoraConfig(
            r=recipe.rank,
            lora_alpha=recipe.rank,
            init_lora_weights="gaussian",
            target_modules=list(recipe.targets),
        )
        torch.manual_seed(recipe.random_seed)
        try:
            self.unet.add_adapter(self._config, ADAPTER)
        except ValueError as error:
            raise DatasetError(f"the model has no layers named {', '.join(recipe.targets)}") from error
        cast_training_params(self.unet, torch.float32)
        self.names = [name for name, part in self.unet.named_parameters() if part.requires_grad]
        self.parameters = [part for part in self.unet.parameters() if part.requires_grad]
        self.average = (
            EMAModel(self.parameters, decay=recipe.ema, use_ema_warmup=True) if recipe.ema else None
        )

    def step(self) -> None:
        """Adds the current weights to the moving average."""
        if self.average:
            self.average.step(self.parameters)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The UNet has the averaged weights inside the context, and no dropout."""
        self.unet.eval()
        if self.average:
            self.average.store(self.parameters)
            self.average.copy_to(self.parameters)
        try:
            yield
        finally:
            if self.average:
                self.average.restore(self.parameters)
            self.unet.train()

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The UNet is that without the adapter inside the context."""
        self.unet.disable_adapters()
        try:
            yield
        finally:
            self.unet.enable_adapters()

    def current(self) -> Weights:
        """Returns a copy of the weights as PEFT names them."""
        from peft.utils import get_peft_model_state_dict

        state: Weights = get_peft_model_state_dict(self.unet, adapter_name=ADAPTER)
        return {name: weight.detach().cpu().clone() for name, weight in state.items()}

    def save(self, weights: Weights, path: Path) -> None:
        """Writes weights as an adapter in diffusers' format; replaces `path` at once."""
        from diffusers import StableDiffusionImg2ImgPipeline
        from diffusers.training_utils import convert_state_dict_to_diffusers

        part = path.with_name(f".{path.stem}.part.safetensors")
        StableDiffusionImg2ImgPipeline.save_lora_weights(
            path.parent,
            unet_lora_layers=convert_state_dict_to_diffusers(weights),
            weight_name=part.name,
        )
        part.replace(path)

    def state(self) -> dict[str, object]:
        """Returns what a continued run needs."""
        weights = dict(zip(self.names, (part.detach().cpu() for part in self.parameters), strict=True))
        return {"weights": weights, "average": self.average.state_dict() if self.average else None}

    def restore(self, state: dict[str, object]) -> None:
        """Restores the result of `state`."""
        weights = state["weights"]
        assert isinstance(weights, dict)
        with torch.no_grad():
            for name, part in zip(self.names, self.parameters, strict=True):
                part.copy_(weights[name])
        if self.average:
            self.average.load_state_dict(state["average"])
            self.average.to(self.parameters[0].device)
