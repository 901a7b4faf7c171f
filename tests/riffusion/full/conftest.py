"""Tiny pipelines, built once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from etbgm_riffusion.diffusion import pipeline
from etbgm_riffusion.diffusion.batcher import Batcher
from etbgm_riffusion.diffusion.pipeline import Pipeline
from tests.riffusion.full import tiny_pipeline


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pipeline of Stable Diffusion's build with random weights; not to be changed."""
    folder = tmp_path_factory.mktemp("tiny")
    tiny_pipeline.build(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> Pipeline:
    """It, loaded on the CPU; for one batcher at a time."""
    return pipeline.load(tiny_folder, "cpu")


@pytest.fixture(scope="session")
def coarse_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one with latents of 16 × 16, for tests of what is computed when; not to be changed."""
    folder = tmp_path_factory.mktemp("coarse")
    tiny_pipeline.build(folder, tiny_pipeline.COARSE)
    return folder


@pytest.fixture(scope="session")
def coarse(coarse_folder: Path) -> Pipeline:
    """It, loaded like `tiny`."""
    return pipeline.load(coarse_folder, "cpu")


@pytest.fixture
def batcher(tiny: Pipeline) -> Iterator[Batcher]:
    """A batcher of `tiny`."""
    yield from batching(tiny)


def batching(pipeline: Pipeline) -> Iterator[Batcher]:
    """Yields a batcher with the default limits; its adapters are unloaded afterwards."""
    batcher = Batcher(pipeline)
    yield batcher
    for name in batcher.adapters():
        batcher.unload_adapter(name)
    batcher.close()
