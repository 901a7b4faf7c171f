"""Compiles the UNet with `torch.compile`; the UNet as loaded is the reference, and remains if that fails.

Compiled on CUDA, steps are replayed as CUDA graphs (mode reduce-overhead). torch keeps these per thread, so
`compile_unet` must be called by the thread that will call the UNet. New numbers of rows and other adapters
are compiled when they first occur; if that fails, torch computes them as they were.
"""

import logging
from collections.abc import Callable

import torch

from etbgm_riffusion.diffusion.pipeline import Pipeline
from etbgm_riffusion.diffusion.types import CLIP

log = logging.getLogger(__name__)

Backend = str | Callable[..., object]
"""A backend of `torch.compile`, by name or as a function."""

_ROWS = 2
"""Rows that are compiled first: a window with guidance."""

_CLOSE = 0.01
"""Largest difference of the predicted noise, whose standard deviation is about 1, in float32. Numbers of 16
bits may differ by ten times as much."""


def compile_unet(pipeline: Pipeline, backend: Backend = "inductor") -> str | None:
    """Compiles `pipeline`'s UNet and compares it with itself as loaded; blocks for up to minutes.

    Returns None, or a sentence that says why it is not compiled.
    """
    unet, mode = pipeline.parts.unet, "reduce-overhead" if pipeline.device.type == "cuda" else None
    with torch.inference_mode(), torch._dynamo.config.patch(suppress_errors=False):
        expected = _predicted(pipeline)
        unet.compile(backend=backend, mode=mode if backend == "inductor" else None)
        try:
            # Twice: CUDA graphs are recorded by the second call.
            differences = [float((_predicted(pipeline) - expected).abs().max()) for _ in range(2)]
        except Exception as error:
            log.warning("the UNet cannot be compiled", exc_info=error)
            return _left(unet, f"it cannot be compiled here ({type(error).__name__})")
    allowed = _CLOSE * (1 if pipeline.dtype == torch.float32 else 10)
    if not all(difference <= allowed for difference in differences):
        log.warning("the compiled UNet differs", extra={"differences": differences})
        return _left(unet, f"compiled, its predictions differ by {max(differences):.2g}")
    torch._dynamo.config.suppress_errors = True
    return None


def _left(unet: torch.nn.Module, why: str) -> str:
    """Makes the UNet what it was."""
    unet._compiled_call_impl = None
    return f"Riffusion's UNet runs as it was loaded: {why}. The service's log has the details."


def _predicted(pipeline: Pipeline) -> torch.Tensor:
    """Predicts the noise in fixed latents without a prompt."""
    side = CLIP // pipeline.scale
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(_ROWS, pipeline.channels, side, side, generator=generator).to(pipeline.device)
    texts = pipeline.embed("").expand(_ROWS, -1, -1)
    return pipeline.predict(latents, torch.full((_ROWS,), 500, device=pipeline.device), texts)
