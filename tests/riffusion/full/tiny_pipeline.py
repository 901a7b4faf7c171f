"""Pipelines of Stable Diffusion 1.5's build with random weights: with few channels, or with all."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionImg2ImgPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

TOKENS = 77
WORDS = ("joyful", "bright", "sad", "slow", "piano", "angry", "drums", "noise")

TEXT = {"max_position_embeddings": TOKENS, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}


class Shape(NamedTuple):
    """What the parts are built with."""

    unet: dict[str, Any]
    vae: dict[str, Any]
    text_encoder: dict[str, Any]


TINY = Shape(
    # Attention where latents are 16 × 16: at 64 × 64 it would be most of the time.
    unet={
        "block_out_channels": (16, 16, 32, 32),
        "down_block_types": ("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "cross_attention_dim": 32,
    },
    vae={"block_out_channels": (4, 4, 8, 8), "norm_num_groups": 4, "mid_block_add_attention": False},
    text_encoder={
        "vocab_size": 600,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    },
)

COARSE = TINY._replace(vae=TINY.vae | {"block_out_channels": (4, 4, 4, 4, 8, 8)})
"""Latents of 16 × 16: a step's time is calling the operators, not computing, so rows are nearly free."""

SD15 = Shape(
    unet={"cross_attention_dim": 768},
    vae={"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2},
    text_encoder={
        "vocab_size": 49408,
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
    },
)


def build(folder: Path, shape: Shape = TINY) -> None:
    """Writes a pipeline to `folder` as diffusers does."""
    torch.manual_seed(0)
    StableDiffusionImg2ImgPipeline(
        vae=_vae(shape),
        text_encoder=CLIPTextModel(
            CLIPTextConfig(
                max_position_embeddings=TOKENS,
                bos_token_id=0,
                eos_token_id=1,
                pad_token_id=1,
                **shape.text_encoder,
            )
        ),
        tokenizer=_tokenizer(folder / "words"),
        unet=UNet2DConditionModel(sample_size=64, attention_head_dim=8, **shape.unet),
        scheduler=DPMSolverMultistepScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)


def _vae(shape: Shape) -> AutoencoderKL:
    """An image coder whose latents are scaled as a trained one's: to about the noise's variance."""
    levels = len(shape.vae["block_out_channels"])
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        **shape.vae,
    )
    with torch.inference_mode():
        latents = vae.encode(torch.randn(1, 3, 512, 512) / 2).latent_dist.mode()
    vae.register_to_config(scaling_factor=1 / float(latents.std()))
    return vae


def _tokenizer(folder: Path) -> CLIPTokenizer:
    """CLIP's byte-pair encoding with WORDS for whole words; all else is spelled."""
    letters = [chr(code) for code in range(33, 127)]
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        pieces = [*word[:-1], f"{word[-1]}</w>"]
        while len(pieces) > 1:
            pair = (pieces[-2], pieces[-1])
            if pair not in merges:
                merges.append(pair)
                tokens.append("".join(pair))
            pieces[-2:] = ["".join(pair)]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary, rules = folder / "vocab.json", folder / "merges.txt"
    vocabulary.write_text(json.dumps({token: number for number, token in enumerate(dict.fromkeys(tokens))}))
    rules.write_text("\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges)]))
    return CLIPTokenizer(str(vocabulary), str(rules), model_max_length=TOKENS)
