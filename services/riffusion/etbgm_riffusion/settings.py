"""Settings of the music server."""

from pathlib import Path

from pydantic import Field

from etbgm_kit.serving.settings import ModelSettings
from etbgm_riffusion.choice import Wanted


class Settings(ModelSettings):
    """ETBGM_SOUNDFONT and so on; the rest is common to all servers."""

    soundfont: Path | None = None
    """General MIDI SoundFont (.sf2); Debian's FluidR3 or another installed one by default."""

    riffusion_engine: Wanted = "auto"
    """`composer` plays what it writes, `riffusion` paints over that sound with `riffusion_model`.

    `auto` takes `riffusion` where its packages, its weights and a CUDA device are there.
    """

    riffusion_model: str = Field(default="riffusion-model-v1", min_length=1)
    """A catalogue name that `etbgm models pull` installed, or a folder of Stable Diffusion 1.5's shape, as
    diffusers writes it; or, for `riffusion` by name, owner/name of one on the Hugging Face hub."""

    adapters_dir: Path | None = None
    """Folder of adapters (LoRA): NAME.safetensors, or NAME/pytorch_lora_weights.safetensors; `adapters` in
    `models_dir` when absent."""

    prompts_file: Path | None = None
    """What tells Riffusion each emotion, style and instrument, in the form of the package's prompts.toml."""

    max_batch: int = Field(default=16, ge=2)
    """Rows that Riffusion computes together; a clip of five seconds takes two with guidance."""

    painted_calls: int = Field(default=4, ge=1)
    """Calls that Riffusion computes at the same time, sharing batches, unless `slots` are more."""
