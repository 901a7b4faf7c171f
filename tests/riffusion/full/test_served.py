"""The music service with Riffusion, over real gRPC."""

import asyncio
import io
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
import pytest_asyncio
import soundfile
from numpy.typing import NDArray

from etbgm.media.v1 import media_pb2
from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, seconds_to_pb
from etbgm_riffusion.assembly import build
from etbgm_riffusion.settings import Settings
from tests.riffusion.full.test_lora import loras
from tests.servers import channel_to

if TYPE_CHECKING:
    from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceAsyncStub

__all__ = ["loras"]


@pytest_asyncio.fixture
async def stub(
    tmp_path: Path, coarse_folder: Path, loras: dict[str, Path]
) -> AsyncIterator["RiffusionServiceAsyncStub"]:
    adapters = tmp_path / "adapters"
    adapters.mkdir()
    for name, file in loras.items():
        shutil.copyfile(file, adapters / f"{name}.safetensors")
    (adapters / "ruin.safetensors").write_bytes(b"no weights")
    settings = Settings(
        store_url=f"file://{tmp_path}/store",
        listen_address="127.0.0.1:0",
        work_dir=tmp_path / "work",
        riffusion_engine="riffusion",
        riffusion_model=str(coarse_folder),
        device="cpu",
        adapters_dir=adapters,
        waiting=0,
    )
    async with channel_to(build(settings)) as channel:
        yield RiffusionServiceStub(channel)


def request(random_seed: int = 5, **diffusion: Any) -> pb.GenerateRequest:
    span = media_pb2.Span(end=seconds_to_pb(1))
    joy = media_pb2.EmotionSpan(span=span, emotion=media_pb2.EMOTION_JOY, probability=1)
    return pb.GenerateRequest(
        timeline=media_pb2.EmotionTimeline(duration=span.end, spans=[joy]),
        cue=span,
        random_seed=random_seed,
        diffusion=pb.DiffusionSettings(**{"steps": 2, "guidance_scale": 1, **diffusion}),
    )


async def result_of(stub: "RiffusionServiceAsyncStub", asked: pb.GenerateRequest) -> pb.GenerateResult:
    return [response async for response in stub.Generate(asked)][-1].result


def sound_of(store: ArtifactStore, result: pb.GenerateResult) -> NDArray[np.float64]:
    return np.asarray(soundfile.read(io.BytesIO(store.read(artifact_from_pb(result.music))))[0])


async def test_calls_run_at_the_same_time_and_results_are_found_again(
    stub: "RiffusionServiceAsyncStub", store: ArtifactStore
) -> None:
    results = await asyncio.gather(*(result_of(stub, request(seed)) for seed in (1, 2, 3, 4)))
    assert len({result.music.sha256 for result in results}) == 4
    assert {result.engine.name for result in results} == {"riffusion"}
    assert sound_of(store, results[0]).shape == (48000, 2)
    assert [line for line in results[0].engine.advice if "on the CPU" in line]
    again = await result_of(stub, request(1))
    assert (again.timings.found, again.music) == (True, results[0].music)


async def test_adapters_are_listed_loaded_used_and_unloaded(stub: "RiffusionServiceAsyncStub") -> None:
    listed = (await stub.ListAdapters(pb.ListAdaptersRequest())).adapters
    names = [adapter.name for adapter in listed]
    assert names == sorted(names)
    assert "ruin" in names
    assert not any(adapter.loaded for adapter in listed)
    name = next(name for name in names if name != "ruin")
    loaded = (await stub.LoadAdapter(pb.LoadAdapterRequest(name=name))).adapter
    assert (loaded.name, loaded.loaded, len(loaded.sha256)) == (name, True, 64)
    plain = await result_of(stub, request())
    adapted = await result_of(stub, request(adapters=[pb.Adapter(name=name)]))
    assert adapted.music != plain.music
    assert [ingredient.name for ingredient in adapted.engine.ingredients][-1] == name
    ignored = await result_of(stub, request(adapters=[pb.Adapter(name=name, weight=0)]))
    assert ignored.music == plain.music
    await stub.UnloadAdapter(pb.UnloadAdapterRequest(name=name))
    listed = (await stub.ListAdapters(pb.ListAdaptersRequest())).adapters
    assert not any(adapter.loaded for adapter in listed)


async def test_adapters_that_cannot_be_used_are_refused(stub: "RiffusionServiceAsyncStub") -> None:
    calls = [
        (stub.LoadAdapter(pb.LoadAdapterRequest(name="ruin")), grpc.StatusCode.FAILED_PRECONDITION),
        (stub.LoadAdapter(pb.LoadAdapterRequest(name="../x")), grpc.StatusCode.NOT_FOUND),
        (stub.UnloadAdapter(pb.UnloadAdapterRequest(name="none")), grpc.StatusCode.NOT_FOUND),
        (
            result_of(stub, request(adapters=[pb.Adapter(name="none")])),
            grpc.StatusCode.INVALID_ARGUMENT,
        ),
        (
            result_of(stub, request(adapters=[pb.Adapter(name="ruin")])),
            grpc.StatusCode.FAILED_PRECONDITION,
        ),
    ]
    for call, code in calls:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert refused.value.code() == code
