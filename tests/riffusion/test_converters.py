"""Requests are equal when they ask for the same."""

import pytest

from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm_riffusion.converters import with_defaults

DIFFUSION = {
    "denoising_strength": 0.5, "guidance_scale": 7.0, "steps": 30,
    "continuity": pb.CONTINUITY_JOINT, "alpha": 0.25,
}  # fmt: skip
"""The defaults that the contract states."""


@pytest.mark.parametrize("paints", [True, False])
def test_an_omitted_field_is_its_default(paints: bool) -> None:
    omitted = pb.GenerateRequest(diffusion=pb.DiffusionSettings(adapters=[{"name": "a"}]))
    said = pb.GenerateRequest(
        style="auto",
        sample_rate_hz=48000,
        diffusion={**DIFFUSION, "adapters": [{"name": "a", "weight": 1.0}]},
    )
    assert omitted != said
    assert with_defaults(omitted, paints) == with_defaults(said, paints) == said


def test_omitted_diffusion_is_its_defaults_where_there_is_any() -> None:
    said = pb.GenerateRequest(style="auto", sample_rate_hz=48000, diffusion=DIFFUSION)
    assert with_defaults(pb.GenerateRequest(), paints=True) == said
    # The composer says in a note that it used none of it, but not to those who did not ask for any.
    assert not with_defaults(pb.GenerateRequest(), paints=False).HasField("diffusion")


def test_what_was_said_stays() -> None:
    diffusion = pb.DiffusionSettings(
        denoising_strength=0.0, guidance_scale=0.0, steps=1, continuity=pb.CONTINUITY_INTERPOLATE, alpha=1.0
    )
    said = pb.GenerateRequest(style="lo-fi", sample_rate_hz=44100, diffusion=diffusion)
    assert with_defaults(said, paints=True) == said
