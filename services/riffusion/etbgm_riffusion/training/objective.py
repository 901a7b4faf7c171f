"""The loss: what the model should predict, and how much each timestep counts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from etbgm_riffusion.diffusion.pipeline import Pipeline

_CAPTIONS_KEPT = 512


@dataclass(frozen=True)
class Noised:
    """Latents with noise: what the model gets, at which timesteps, and what was added."""

    latents: Tensor
    noise: Tensor
    noisy: Tensor
    timesteps: Tensor


class Objective:
    """Computes losses of `pipeline`'s UNet, or what stands for it, on latents and captions."""

    def __init__(self, pipeline: Pipeline, unet: nn.Module, min_snr: float) -> None:
        """`unet` is the one that training prepared; `min_snr` is 0 for equal weights."""
        from diffusers import DDPMScheduler

        self._pipeline, self._unet, self._min_snr = pipeline, unet, min_snr
        self._schedule = DDPMScheduler.from_config(pipeline.parts.scheduler.config)
        self._embed: Callable[[str], Tensor] = lru_cache(_CAPTIONS_KEPT)(self._embedding)

    @property
    def timesteps(self) -> int:
        """Number of timesteps of the noise schedule, 1000."""
        return int(self._schedule.config.num_train_timesteps)

    def noised(self, latents: Tensor, key: tuple[int, ...], timesteps: Tensor | None = None) -> Noised:
        """Adds noise to latents (n, 4, 64, 64) at random `timesteps` (n,); `key` is the random seed."""
        state = np.random.SeedSequence(key).generate_state(1, np.uint64)
        generator = torch.Generator().manual_seed(int(state[0]))
        noise = torch.randn(latents.shape, generator=generator)
        if timesteps is None:
            timesteps = torch.randint(0, self.timesteps, (len(latents),), generator=generator)
        device = self._pipeline.device
        latents, noise, timesteps = latents.to(device), noise.to(device), timesteps.to(device)
        return Noised(latents, noise, self._schedule.add_noise(latents, noise, timesteps), timesteps)

    def predict(self, noised: Noised, captions: list[str]) -> Tensor:
        """Returns what the model predicts, (n, 4, 64, 64) float32."""
        texts = torch.stack([self._embed(caption) for caption in captions])
        dtype = self._pipeline.dtype
        prediction: Tensor = self._unet(
            noised.noisy.to(dtype), noised.timesteps, texts.to(dtype), return_dict=False
        )[0]
        return prediction.float()

    def losses(self, noised: Noised, captions: list[str], weighted: bool = True) -> Tensor:
        """Returns the loss of each clip, (n,): the squared error of the prediction, weighted by its SNR."""
        error = (self.predict(noised, captions) - self._target(noised)) ** 2
        losses = error.mean(dim=(1, 2, 3))
        return losses * self._weights(noised.timesteps) if weighted and self._min_snr else losses

    def _target(self, noised: Noised) -> Tensor:
        if self._schedule.config.prediction_type == "v_prediction":
            target: Tensor = self._schedule.get_velocity(noised.latents, noised.noise, noised.timesteps)
            return target
        return noised.noise

    def _weights(self, timesteps: Tensor) -> Tensor:
        """Returns min-SNR weights.

        T. Hang et al., "Efficient diffusion training via min-SNR weighting strategy" (2023), eq. 5.
        """
        from diffusers.training_utils import compute_snr

        snr = compute_snr(self._schedule, timesteps)
        is_v = self._schedule.config.prediction_type == "v_prediction"
        weights: Tensor = snr.clamp(max=self._min_snr) / (snr + 1 if is_v else snr).clamp(min=1e-8)
        return weights

    def _embedding(self, caption: str) -> Tensor:
        with torch.no_grad():
            return self._pipeline.embed(caption)
