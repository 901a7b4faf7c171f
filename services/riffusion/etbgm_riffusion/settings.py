"""Settings of the music server."""

from pathlib import Path

from pydantic import Field

from etbgm_kit.serving.settings import ModelSettings
from etbgm_riffusion.choice import Precision, Wanted


class Settings(ModelSettings):
    """Settings such as ETBGM_SOUNDFONT; the rest is common to all servers."""

    soundfont: Path | None = None
    """General MIDI SoundFont (.sf2). Default: Debian's FluidR3 or another installed one."""

    riffusion_engine: Wanted = "auto"
    """`composer` plays the music it writes; `riffusion` paints over that sound with `riffusion_model`.

    `auto` selects `riffusion` if its packages, its weights and a CUDA device are available.
    """

    riffusion_model: str = Field(default="riffusion-model-v1", min_length=1)
    """A catalogue name that `etbgm models pull` installed, or a folder with a model of Stable Diffusion
    1.5's architecture in diffusers' format; if the engine is named explicitly, also the owner/name of a
    model on the Hugging Face hub."""

    adapters_dir: Path | None = None
    """Folder of adapters (LoRA): NAME.safetensors or NAME/pytorch_lora_weights.safetensors. Default:
    `adapters` in `models_dir`."""

    prompts_file: Path | None = None
    """Riffusion's prompts for each emotion, style and instrument, in the format of the package's
    prompts.toml."""

    precision: Precision = "auto"
    """Numbers that Riffusion computes with: `auto` is fp16 on CUDA and fp32 on the CPU; bf16 has the range of
    fp32 and needs a GPU of 2020 or newer."""

    compile_unet: bool = False
    """Compile Riffusion's UNet with `torch.compile` at the start, which takes minutes; on CUDA, its steps are
    then replayed as CUDA graphs. Needs a C++ compiler, and Triton for CUDA; without them, the UNet runs as
    it was loaded, and results say so."""

    max_batch: int = Field(default=16, ge=2)
    """Rows that Riffusion computes together; with guidance, a clip of five seconds takes two."""

    painted_calls: int = Field(default=4, ge=1)
    """Calls that Riffusion computes concurrently in shared batches; `slots` applies if it is higher."""
