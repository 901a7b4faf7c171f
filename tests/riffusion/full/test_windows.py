"""Where windows lie, how they merge, and the noise that belongs to places."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from etbgm_riffusion.diffusion import noise
from etbgm_riffusion.diffusion.types import Canvas, Continuity, PromptSpan
from etbgm_riffusion.diffusion.windows import OVERLAP, Share, merge, weights_of, width_of, windows_of

SIDE, SCALE = 64, 8


def canvas_of(*edges: int, continuity: Continuity = Continuity.JOINT, alpha: float = 0.5) -> Canvas:
    """A canvas whose prompts are "0", "1" and so on, each up to the next of `edges`."""
    starts = (0, *edges[:-1])
    return Canvas(
        pixels=np.zeros((3, 512, edges[-1]), np.float32),
        prompts=tuple(
            PromptSpan(*span, str(index)) for index, span in enumerate(zip(starts, edges, strict=True))
        ),
        denoising_strength=0.5,
        guidance_scale=7.0,
        steps=10,
        random_seed=1,
        continuity=continuity,
        alpha=alpha,
    )


@given(width=st.integers(1, 6000))
def test_windows_cover_the_canvas_and_overlap(width: int) -> None:
    windows = windows_of(canvas_of(width), SCALE)
    starts = [window.start for window in windows]
    total = width_of(windows, SIDE)
    assert starts[0] == 0
    assert total == max(SIDE, -(-width // SCALE))
    steps = [after - before for before, after in itertools.pairwise(starts)]
    assert all(1 <= step <= SIDE - OVERLAP // SCALE for step in steps)
    ones = [torch.ones(1, 1, SIDE)] * len(windows)
    torch.testing.assert_close(merge(windows, ones, weights_of(windows, SIDE)), torch.ones(1, 1, total))


def test_what_neighbours_say_goes_over_smoothly() -> None:
    """Two windows that differ by 1 make a step of at most pi/2 over the latents they share."""
    windows = windows_of(canvas_of(512 + 512 - OVERLAP), SCALE)
    tiles = [torch.full((1, 1, SIDE), float(value)) for value in (0, 1)]
    merged = merge(windows, tiles, weights_of(windows, SIDE))[0, 0]
    steps = merged.diff()
    assert merged[0] == 0
    assert merged[-1] == 1
    assert steps.min() >= 0
    assert steps.max() <= np.pi / 2 / (OVERLAP // SCALE)


def test_a_merged_image_has_each_latent_s_columns() -> None:
    windows = windows_of(canvas_of(900), SCALE)
    image = torch.randn(3, 4, width_of(windows, SIDE) * SCALE)
    tiles = [image[:, :, window.start * SCALE :][:, :, : SIDE * SCALE] for window in windows]
    torch.testing.assert_close(merge(windows, tiles, weights_of(windows, SIDE), SCALE), image)


def test_prompts_blend_where_the_emotion_changes_inside_a_window() -> None:
    windows = windows_of(canvas_of(128, 896), SCALE)
    assert [window.start for window in windows] == [0, 48]
    assert windows[0].texts == (Share("0", "", 0.25), Share("1", "", 0.75))
    assert windows[1].texts == (Share("1", "", 1.0),)


def test_interpolated_prompts_go_over_by_alpha() -> None:
    canvas = canvas_of(1024, 3000, continuity=Continuity.INTERPOLATE)
    windows = windows_of(canvas, SCALE)
    assert [window.start for window in windows] == [0, 64, 128, 192, 256, 320]
    assert [[share.share for share in window.texts] for window in windows] == [
        [1],
        [1],
        [0.5, 0.5],
        [1],
        [1],
        [1],
    ]
    assert [window.texts[-1].prompt for window in windows] == ["0", "0", "1", "1", "1", "1"]


@given(start=st.integers(0, 300), width=st.integers(1, 200))
def test_noise_belongs_to_its_place(start: int, width: int) -> None:
    whole = noise.stretch(7, 0, 500, 4, SIDE)
    assert torch.equal(noise.stretch(7, start, width, 4, SIDE), whole[:, :, start : start + width])


def test_noise_is_normal_and_changes_with_the_random_seed() -> None:
    one, other = (noise.stretch(seed, 0, 640, 4, SIDE) for seed in (1, 2))
    assert one.std() == pytest.approx(1, abs=0.02)
    assert float((one * other).mean()) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("place", [0.0, 3.0, 3.25, 3.5, 3.75])
def test_interpolated_noise_keeps_its_variance(place: float) -> None:
    """Within 3 %: a straight line would lose 29 % half way."""
    made = noise.between(5, place, 4, SIDE)
    assert made.std() == pytest.approx(1, abs=0.03)
    left = noise.block_of(5, int(place), 4, SIDE)
    cosine = torch.nn.functional.cosine_similarity(made.flatten(), left.flatten(), dim=0)
    assert float(cosine) == pytest.approx(np.cos(place % 1 * np.pi / 2), abs=0.03)
