"""A pipeline of Stable Diffusion 1.5's build with few channels and random weights."""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    StableDiffusionImg2ImgPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

TOKENS = 77
FEATURES = 32
WORDS = ("joyful", "bright", "sad", "slow", "piano", "angry", "drums", "noise")


def build(folder: Path, widths: tuple[int, ...] = (16, 16, 32, 32)) -> None:
    """Writes it to `folder` as diffusers does; `widths` are the UNet's channels."""
    torch.manual_seed(0)
    StableDiffusionImg2ImgPipeline(
        vae=_vae(),
        text_encoder=_text_encoder(),
        tokenizer=_tokenizer(folder / "words"),
        unet=_unet(widths),
        scheduler=DPMSolverMultistepScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder, safe_serialization=True)


def _unet(widths: tuple[int, ...]) -> UNet2DConditionModel:
    """Attention where latents are 8 × 8 and 16 × 16: at 64 × 64 it would be most of the time."""
    return UNet2DConditionModel(
        sample_size=64,
        block_out_channels=widths,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=FEATURES,
        attention_head_dim=8,
        norm_num_groups=8,
    )


def _vae() -> AutoencoderKL:
    """An image coder whose latents are scaled as a trained one's: to about the noise's variance."""
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=4,
        mid_block_add_attention=False,
    )
    with torch.inference_mode():
        latents = vae.encode(torch.randn(1, 3, 512, 512) / 2).latent_dist.mode()
    vae.register_to_config(scaling_factor=1 / float(latents.std()))
    return vae


def _text_encoder() -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=600,
        hidden_size=FEATURES,
        intermediate_size=FEATURES * 2,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return CLIPTextModel(config)


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
