"""Loads a pipeline of Stable Diffusion 1.5's architecture and runs it row by row.

The parts are diffusers' own. The loops of diffusers' pipelines are left to the batcher: it decides which
rows to compute, at which timestep and with which prompt.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from etbgm_kit.models.folders import BrokenModel, loading, require
from etbgm_riffusion.choice import Precision
from etbgm_riffusion.diffusion import schedulers
from etbgm_riffusion.diffusion.steady import steadily, steady, steady_batches
from etbgm_riffusion.diffusion.types import CLIP, ROWS

if TYPE_CHECKING:
    from diffusers import SchedulerMixin, StableDiffusionImg2ImgPipeline

WEIGHTS = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}
FILES = (
    "model_index.json",
    "scheduler/scheduler_config.json",
    "tokenizer/tokenizer_config.json",
    *(f"{part}/config.json" for part in WEIGHTS),
    *(f"{part}/{file}" for part, file in WEIGHTS.items()),
)

_DTYPES: dict[str, torch.dtype | None] = {
    "auto": None,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}


@dataclass(frozen=True)
class Pipeline:
    """Loaded weights, for use by one thread at a time.

    `scale` is the number of columns, and of rows, per latent: 8.
    """

    parts: "StableDiffusionImg2ImgPipeline"
    device: torch.device
    dtype: torch.dtype
    scale: int

    @property
    def channels(self) -> int:
        """Channels of a latent: 4."""
        return int(self.parts.vae.config.latent_channels)

    def scheduler(self, steps: int) -> "SchedulerMixin":
        """Returns a new scheduler for one canvas, set to `steps`."""
        scheduler = type(self.parts.scheduler).from_config(self.parts.scheduler.config)
        scheduler.set_timesteps(steps, device=self.device)
        return scheduler

    def embed(self, prompt: str) -> Tensor:
        """Returns the text embedding of `prompt`, (tokens, features); ignores words beyond 77 tokens."""
        tokens = self.parts.tokenizer(
            prompt, padding="max_length", max_length=self.most_tokens, truncation=True, return_tensors="pt"
        )
        embedding: Tensor = self.parts.text_encoder(tokens.input_ids.to(self.device))[0][0]
        return embedding

    def encode(self, pixels: Tensor) -> Tensor:
        """Encodes images (n, 3, 512, 512) in [-1, 1] to latents (n, 4, 64, 64) float32, without sampling."""
        vae, rows = self.parts.vae, pixels.to(self.device, self.dtype)
        latents = steadily(lambda images: vae.encode(images).latent_dist.mode(), rows, self.device)
        return latents.float() * vae.config.scaling_factor

    def decode(self, latents: Tensor) -> Tensor:
        """Decodes latents (n, 4, 64, 64) to images (n, 3, 512, 512) float32, roughly in [-1, 1]."""
        vae, rows = self.parts.vae, (latents / self.parts.vae.config.scaling_factor).to(self.dtype)
        return steadily(lambda rows: vae.decode(rows).sample, rows, self.device).float()

    def predict(self, latents: Tensor, timesteps: Tensor, embeddings: Tensor) -> Tensor:
        """Predicts the noise in `latents` (n, 4, 64, 64).

        `timesteps` are (n,), `embeddings` (n, tokens, features).
        """
        noise = [
            self.parts.unet(rows.to(self.dtype), times, texts.to(self.dtype)).sample
            for rows, times, texts in steady_batches(self.device, latents, timesteps, embeddings)
        ]
        return torch.cat(noise)[: len(latents)].float()

    def warm_up(self) -> None:
        """Runs all parts once. Raises RuntimeError if they do not fit each other."""
        side = CLIP // self.scale
        latents = self.encode(torch.zeros(1, 3, ROWS, CLIP))
        texts = self.embed("").unsqueeze(0)
        noise = self.predict(latents, torch.zeros(1, dtype=torch.long, device=self.device), texts)
        if noise.shape != (1, self.channels, side, side) or not bool(self.decode(noise).isfinite().all()):
            raise RuntimeError("its parts do not fit each other, or give numbers that are none")

    def digest(self) -> str:
        """Hashes every weight, configuration value and token, wherever they were read from."""
        digest, parts = hashlib.sha256(), self.parts
        for part in (parts.unet, parts.vae, parts.text_encoder):
            for name, weights in part.state_dict().items():
                digest.update(name.encode())
                digest.update(weights.cpu().contiguous().view(torch.uint8).numpy())
        configs = [part.config for part in (parts.unet, parts.vae, parts.scheduler)]
        digest.update(type(parts.scheduler).__name__.encode())
        tables = [*configs, parts.text_encoder.config.to_dict(), parts.tokenizer.get_vocab()]
        for table in tables:
            # Names that begin with an underscore are the libraries' own notes, such as the folder.
            facts = sorted((name, repr(value)) for name, value in table.items() if not name.startswith("_"))
            digest.update(repr(facts).encode())
        return digest.hexdigest()[:12]

    @property
    def most_tokens(self) -> int:
        """Tokens of a prompt that the text encoder reads, 77 with its first and last."""
        return int(self.parts.tokenizer.model_max_length)


def load(
    model: str | Path, device: str = "auto", revision: str | None = None, precision: Precision = "auto"
) -> Pipeline:
    """Loads the pipeline in the folder `model`, or the hub's model of that name at `revision`; blocks.

    Only safetensors are read, because other formats can run code. `device` is auto, cpu or cuda; with the
    precision auto, CUDA computes in float16, the CPU in float32. Raises BrokenModel if weights are missing,
    truncated or do not fit, RuntimeError if the device is not available.
    """
    import diffusers
    import transformers

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    # It warns about image processors that are imported and never used.
    transformers.utils.logging.set_verbosity_error()
    place = _device(device)
    dtype = _DTYPES[precision] or (torch.float16 if place.type == "cuda" else torch.float32)
    folder = Path(model).expanduser()
    with loading(folder):
        parts = _read(folder if folder.is_dir() else str(model), revision, dtype).to(place)
        parts.scheduler = schedulers.steppable(parts.scheduler)
        parts.set_progress_bar_config(disable=True)
        for part in (parts.unet, parts.vae, parts.text_encoder):
            part.eval().requires_grad_(False)
            steady(part, place)
        pipeline = Pipeline(parts, place, dtype, 2 ** (len(parts.vae.config.block_out_channels) - 1))
        with torch.inference_mode():
            pipeline.warm_up()
    return pipeline


def _read(model: Path | str, revision: str | None, dtype: torch.dtype) -> "StableDiffusionImg2ImgPipeline":
    """Reads the pipeline from a folder or from the hub."""
    from diffusers import StableDiffusionImg2ImgPipeline

    if isinstance(model, Path):
        require(model, FILES)
    parts = StableDiffusionImg2ImgPipeline.from_pretrained(
        str(model),
        revision=revision,
        local_files_only=isinstance(model, Path),
        use_safetensors=True,
        dtype=dtype,
        safety_checker=None,
        feature_extractor=None,
        image_encoder=None,
        requires_safety_checker=False,
    )
    if isinstance(model, Path):
        _check_complete(model, parts)
    return parts


def _device(wanted: str) -> torch.device:
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise RuntimeError("device is cuda, but torch finds no CUDA device")
    return torch.device("cuda:0" if there and wanted != "cpu" else "cpu")


def _check_complete(folder: Path, parts: "StableDiffusionImg2ImgPipeline") -> None:
    """Raises BrokenModel if weights are missing from the files: the libraries leave those uninitialised."""
    from safetensors import safe_open

    for part, file in WEIGHTS.items():
        with safe_open(folder / part / file, "pt") as stored:
            missing = sorted(getattr(parts, part).state_dict().keys() - set(stored.keys()))
        if missing:
            raise BrokenModel(folder, f"{part}/{file} lacks {len(missing)} weights, such as {missing[0]}")
