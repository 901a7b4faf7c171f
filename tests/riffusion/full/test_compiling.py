"""A compiled UNet predicts what it predicted before; where it cannot be compiled, it stays as it was.

On one layer, because torch takes tens of seconds to trace a UNet; `bench_diffusion --compile` compiles those.
"""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from torch import Tensor, nn

from etbgm_riffusion.diffusion.compiling import compile_unet
from etbgm_riffusion.diffusion.pipeline import Pipeline

Graph = torch.fx.GraphModule


class OneLayer(nn.Module):
    """Called like a UNet."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, latents: Tensor, timesteps: Tensor, texts: Tensor) -> UNet2DConditionOutput:
        shift = timesteps.float() / 1000 + texts.mean((1, 2))
        return UNet2DConditionOutput(sample=self.layer(latents) + shift[:, None, None, None])


class OneLayerPipeline(Pipeline):
    """A pipeline that can only predict."""

    def embed(self, prompt: str) -> Tensor:
        return torch.full((77, 32), float(len(prompt)))


@pytest.fixture
def small() -> Pipeline:
    torch.compiler.reset()
    torch.manual_seed(0)
    vae = SimpleNamespace(config=SimpleNamespace(latent_channels=4))
    parts = SimpleNamespace(unet=OneLayer(), vae=vae)
    return OneLayerPipeline(parts, torch.device("cpu"), torch.float32, 32)  # type: ignore[arg-type]


def predicted(loaded: Pipeline, rows: int) -> Tensor:
    latents = torch.randn(rows, 4, 16, 16, generator=torch.Generator().manual_seed(rows))
    with torch.inference_mode():
        return loaded.predict(latents, torch.arange(rows) * 100, loaded.embed("sad").expand(rows, -1, -1))


def test_any_number_of_rows_gives_what_it_gave_before(small: Pipeline) -> None:
    calls: list[int] = []

    def backend(graph: Graph, _: object) -> Callable[..., object]:
        def run(*given: object) -> object:
            calls.append(1)
            return graph.forward(*given)

        return run

    before = {rows: predicted(small, rows) for rows in (1, 4, 14)}
    assert compile_unet(small, backend) is None
    compared = len(calls)
    assert compared == 2
    for rows, expected in before.items():
        torch.testing.assert_close(predicted(small, rows), expected)
    assert len(calls) == compared + 4, "14 rows are computed in two batches"


def failing(_: Graph, __: object) -> Callable[..., object]:
    raise RuntimeError("no compiler")


def wrong(graph: Graph, _: object) -> Callable[..., object]:
    return lambda *given: tuple(1.5 * part for part in graph.forward(*given))


@pytest.mark.parametrize(
    ("backend", "why"), [(failing, "cannot be compiled here"), (wrong, "its predictions differ by")]
)
def test_what_cannot_be_compiled_stays_as_it_was(
    small: Pipeline, backend: Callable[..., object], why: str
) -> None:
    before = predicted(small, 4)
    told = compile_unet(small, backend)
    assert told
    assert why in told
    assert torch.equal(predicted(small, 4), before)
