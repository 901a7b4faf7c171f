"""Canvases for tests."""

import numpy as np

from etbgm_riffusion.diffusion.types import Canvas, Progress, PromptSpan


def canvas_of(
    width: int = 512,
    prompt: str = "joyful piano",
    steps: int = 5,
    denoising_strength: float = 0.8,
    guidance_scale: float = 7.0,
    random_seed: int = 1,
    **values: object,
) -> Canvas:
    """A canvas of noise, the same for equal arguments."""
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 512, width)).astype(np.float32)
    return Canvas(
        pixels=pixels,
        prompts=(PromptSpan(0, width, prompt, "noise"),),
        denoising_strength=denoising_strength,
        guidance_scale=guidance_scale,
        steps=steps,
        random_seed=random_seed,
        **values,  # type: ignore[arg-type]
    )


def ignore(progress: Progress) -> None:
    """A caller who does not care how far it is."""
