"""A tiny pipeline whose image coder is no random one: it averages pixels, and repeats them.

So what the UNet paints can be heard: with TINY's 8 × 8 pixels per latent, as a spectrogram of 64 × 64 cells.
"""

import math
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import nn

from tests.riffusion.full import tiny_pipeline
from tests.riffusion.full.tiny_pipeline import Shape

CARRIER = 20.0
"""Constants in two channels beside the signals, + and -: group norms divide by them, not by the signals."""

_BIAS, _SLOPE = 3.0, 0.05
"""The last activation, SiLU, is used around 3, where it is nearly straight, in steps of 0.05."""

_SIGNALS, _PLUS, _MINUS = (0, 1), 2, 3
_GREEN_BLUE = (1, 2)


def build(folder: Path, shape: Shape = tiny_pipeline.TINY) -> None:
    """Writes the pipeline to `folder` as diffusers does."""
    tiny_pipeline.build(folder, shape)
    levels = len(shape.vae["block_out_channels"])
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        scaling_factor=2.0,
        **shape.vae | {"norm_num_groups": 1},
    )
    with torch.no_grad():
        make_plain(vae)
    vae.save_pretrained(folder / "vae")


def make_plain(vae: AutoencoderKL) -> None:
    """Sets all weights so that latents are means of pixels: green in 0 and 2, blue in 1 and 3."""
    for name, part in vae.named_modules():
        if isinstance(part, nn.Conv2d):
            part.weight.zero_()
            part.bias.zero_()
            middle = part.kernel_size[0] // 2
            if "downsamplers" in name:
                for channel in range(part.weight.shape[0]):
                    part.weight[channel, channel, :2, :2] = 0.25
            elif "upsamplers" in name or "shortcut" in name or name.endswith("quant_conv"):
                for channel in range(min(part.weight.shape[:2])):
                    part.weight[channel, channel, middle, middle] = 1
    for coder in (vae.encoder, vae.decoder):
        coder.conv_in.bias[_PLUS], coder.conv_in.bias[_MINUS] = CARRIER, -CARRIER
        spread = CARRIER * math.sqrt(2 / coder.conv_norm_out.num_channels)
        coder.conv_norm_out.weight.fill_(_SLOPE * spread)
        coder.conv_norm_out.bias.fill_(_BIAS)
    for place, (signal, colour) in enumerate(zip(_SIGNALS, _GREEN_BLUE, strict=True)):
        vae.encoder.conv_in.weight[signal, colour, 1, 1] = 1
        for latent in (place, place + 2):
            vae.decoder.conv_in.weight[signal, latent, 1, 1] = 0.5
            _read(vae.encoder, latent, signal)
        _read(vae.decoder, colour, signal)
    vae.decoder.conv_out.bias[0] = -1


def _read(coder: nn.Module, to: int, signal: int) -> None:
    """Lets an output follow a signal; the norm takes off a mean, which the positive carrier brings back."""
    for channel, at, sign in ((signal, _BIAS, 1), (_PLUS, _BIAS + _SLOPE * CARRIER, -1)):
        level, slope = _silu(at)
        coder.conv_out.weight[to, channel, 1, 1] = sign / (slope * _SLOPE)
        coder.conv_out.bias[to] -= sign * level / (slope * _SLOPE)


def _silu(at: float) -> tuple[float, float]:
    """Returns the value of SiLU and its slope."""
    sigmoid = 1 / (1 + math.exp(-at))
    return at * sigmoid, sigmoid * (1 + at * (1 - sigmoid))
