"""The moving average of an adapter's weights, and captions that are left out: on small tensors."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel

from etbgm_kit.types import Emotion
from etbgm_riffusion.dataset.types import Clip
from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.training.clips import Clips
from etbgm_riffusion.training.recipe import Recipe
from etbgm_riffusion.training.weights import AdapterWeights

DECAY = 0.5


def adapter(ema: float = DECAY) -> AdapterWeights:
    """A new adapter in a UNet of one block."""
    unet = UNet2DConditionModel(
        block_out_channels=(8,), down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
        mid_block_type=None, layers_per_block=1, norm_num_groups=4, cross_attention_dim=8,
    )  # fmt: skip
    parts = SimpleNamespace(unet=unet.requires_grad_(False))
    pipeline = Pipeline(parts, torch.device("cpu"), torch.float32, 8)  # type: ignore[arg-type]
    return AdapterWeights(pipeline, Recipe(rank=1, targets=("conv_in", "conv_out"), ema=ema))


def fill(weights: AdapterWeights, value: float) -> None:
    with torch.no_grad():
        for part in weights.parameters:
            part.fill_(value)


def value_of(weights: AdapterWeights) -> float:
    values = torch.cat([part.detach().flatten() for part in weights.parameters])
    assert float(values.max() - values.min()) < 1e-6
    return float(values[0])


def averaged(values: list[float]) -> Iterator[float]:
    """The average after each of `values`.

    Its decay rises as 1 - n^(-2/3), so that the random start is forgotten at once and not slowly.
    """
    average = 0.0
    for number, value in enumerate(values, 1):
        decay = min(DECAY, 1 - number ** (-2 / 3))
        average = decay * average + (1 - decay) * value
        yield average


def test_the_average_follows_the_weights_and_is_in_the_model_only_inside_the_context() -> None:
    weights, values = adapter(), [1.0, 4.0, -2.0, 6.0]
    for value, expected in zip(values, averaged(values), strict=True):
        fill(weights, value)
        weights.step()
        with weights.averaged():
            assert value_of(weights) == pytest.approx(expected, abs=1e-6)
            assert not weights.unet.training
        assert value_of(weights) == value
        assert weights.unet.training


def test_a_restored_average_continues_as_the_one_that_was_saved() -> None:
    first, second, values = adapter(), adapter(), [1.0, 4.0, -2.0]
    for value in values:
        fill(first, value)
        first.step()
    second.restore(first.state())
    assert value_of(second) == -2.0
    fill(second, 6.0)
    second.step()
    with second.averaged():
        assert value_of(second) == pytest.approx([*averaged([*values, 6.0])][-1], abs=1e-6)


def test_without_an_average_the_weights_are_the_current_ones() -> None:
    weights = adapter(ema=0.0)
    for value in (1.0, 4.0):
        fill(weights, value)
        weights.step()
    with weights.averaged():
        assert value_of(weights) == 4.0


def test_captions_are_left_out_as_often_as_wanted_and_the_same_ones_for_a_key() -> None:
    row = Clip(
        file_name="a.png", caption="joyful piano", emotion=Emotion.JOY, emotion_confidence=1.0,
        emotion_from="folder", source="a.wav", piece="a.wav", start_s=0.0, licence="own", tempo_bpm=None,
        key=None, level_db=0.0,
    )  # fmt: skip
    clips, numbers = Clips(np.zeros((1, 4, 16, 16), np.float16), [row]), [0] * 4000
    assert set(clips.captions(numbers)) == {"joyful piano"}
    assert set(clips.captions(numbers, 1.0, (1,))) == {""}
    shown = clips.captions(numbers, 0.1, (1, 2))
    assert set(shown) == {"", "joyful piano"}
    # The standard deviation of the share is 0.005.
    assert shown.count("") / len(numbers) == pytest.approx(0.1, abs=0.02)
    assert clips.captions(numbers, 0.1, (1, 2)) == shown != clips.captions(numbers, 0.1, (1, 3))
