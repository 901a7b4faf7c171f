"""From a folder of music to one's own sound: build, train, sample, serve, evaluate."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from typer.testing import CliRunner

from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm_kit.types import Emotion
from etbgm_riffusion.assembly import build
from etbgm_riffusion.cli import app
from etbgm_riffusion.settings import Settings
from etbgm_riffusion.training.comparison import Evaluation
from tests.riffusion.full import plain_coder, tiny_pipeline
from tests.riffusion.full.datasets import write_music
from tests.riffusion.full.test_served import request, result_of
from tests.riffusion.full.test_training import LAYERS, curve_of
from tests.servers import channel_to

if TYPE_CHECKING:
    from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceAsyncStub


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with music, a model, and what the commands make of them: a data set and an adapter."""
    folder = tmp_path_factory.mktemp("studio")
    plain_coder.build(folder / "model", tiny_pipeline.COARSE)
    write_music(folder / "music")
    manifest = folder / "music" / "manifest.csv"
    manifest.write_text("source,licence,owner,caption\n*,CC BY-NC 4.0,Studio,joyful piano\n")
    options = "--steps 60 --batch 2 --rank 8 --learning-rate 1e-2 --warm-up 5 --min-snr 0 --ema 0.9"
    layers = [f"--target={layer}" for layer in LAYERS]
    run(folder, "dataset build music -o data --previews 0 --validation-share 0.3")
    where = "--name tape --model model --adapters-dir adapters --device cpu --threads 1"
    run(folder, f"train-lora data {where} --run run {options} --check-every 20 --sample-every 60 "
        "--sample-emotion joy", *layers)  # fmt: skip
    run(folder, f"evaluate-lora data {where} -o evaluation --pairs 1 --denoising-steps 12 --guidance-scale 1 "
        "--denoising-strength 0.6")  # fmt: skip
    return folder


def run(folder: Path, command: str, *more: str) -> None:
    """Runs `etbgm-riffusion` in `folder`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = CliRunner().invoke(app, [*command.split(), *more])
    assert result.exit_code == 0, result.output


@pytest_asyncio.fixture
async def stub(studio: Path, tmp_path: Path) -> AsyncIterator["RiffusionServiceAsyncStub"]:
    settings = Settings(
        store_url=f"file://{tmp_path}/store",
        listen_address="127.0.0.1:0",
        work_dir=tmp_path / "work",
        riffusion_engine="riffusion",
        riffusion_model=str(studio / "model"),
        device="cpu",
        adapters_dir=studio / "adapters",
    )
    async with channel_to(build(settings)) as channel:
        yield RiffusionServiceStub(channel)


def test_the_loss_of_held_out_clips_falls(studio: Path) -> None:
    losses = [point["held_out"] for point in curve_of(studio / "run") if "held_out" in point]
    assert len(losses) == 4
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.6 * losses[0]


def test_the_adapter_brings_the_sound_nearer_to_the_data_set(studio: Path) -> None:
    text = (studio / "evaluation" / "evaluation.json").read_text()
    found = Evaluation.model_validate_json(text)
    assert found.split == "validation"
    assert found.with_adapter.spectral_distance_db < 0.95 * found.without.spectral_distance_db
    assert found.with_adapter.mfcc_distance < 0.8 * found.without.mfcc_distance
    page = (studio / "evaluation" / "index.html").read_text()
    for way in ("seed", "without", "with"):
        sound, rate = soundfile.read(studio / "evaluation" / "sounds" / f"000-{way}.flac")
        assert sound.shape == (1024 * 441, 2)
        assert rate == 44100
        assert f"sounds/000-{way}.flac" in page


def test_samples_were_made_while_it_was_trained(studio: Path) -> None:
    sound, _ = soundfile.read(studio / "run" / "samples" / f"step-000060-{Emotion.JOY}.flac")
    assert sound.shape == (512 * 441, 2)
    assert np.abs(sound).max() > 0.01


async def test_the_service_uses_it_and_states_its_licence(stub: "RiffusionServiceAsyncStub") -> None:
    listed = await stub.ListAdapters(pb.ListAdaptersRequest())
    assert [adapter.name for adapter in listed.adapters] == ["tape"]
    plain, adapted = await asyncio.gather(
        result_of(stub, request()),
        result_of(stub, request(adapters=[pb.Adapter(name="tape", weight=1)])),
    )
    assert plain.music.sha256 != adapted.music.sha256
    (told,) = [one for one in adapted.engine.ingredients if one.name == "tape"]
    assert (told.licence, told.HasField("commercial_use"), told.commercial_use) == (
        "CC-BY-NC-4.0",
        True,
        False,
    )
    assert "Studio" in told.note
