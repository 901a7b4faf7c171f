"""The engine riffusion, named where it cannot run: the server says why and does not serve."""

from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm.media.v1 import media_pb2
from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm_kit.converters import seconds_to_pb
from etbgm_kit.serving.server import Server
from etbgm_riffusion.assembly import build
from etbgm_riffusion.choice import NoRiffusion
from etbgm_riffusion.settings import Settings
from tests.servers import channel_to


def settings(folder: Path, **values: object) -> Settings:
    return Settings(
        store_url=f"file://{folder}/store",
        listen_address="127.0.0.1:0",
        models_dir=folder / "models",
        **values,  # type: ignore[arg-type]
    )


async def joy_by(settings: Settings) -> pb.GenerateResult:
    """A second of joy from a server with these settings."""
    span = media_pb2.Span(end=seconds_to_pb(1))
    joy = media_pb2.EmotionSpan(span=span, emotion=media_pb2.EMOTION_JOY, probability=1)
    timeline = media_pb2.EmotionTimeline(duration=span.end, spans=[joy])
    asked = pb.GenerateRequest(timeline=timeline, cue=span)
    async with channel_to(build(settings)) as channel:
        return [response async for response in RiffusionServiceStub(channel).Generate(asked)][-1].result


async def test_without_weights_it_does_not_serve(tmp_path: Path) -> None:
    server = Server(build(settings(tmp_path, riffusion_engine="riffusion")))
    await server.open()
    try:
        with pytest.raises(NoRiffusion, match="etbgm models pull riffusion-model-v1"):
            await server.load()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await RiffusionServiceStub(channel).ListStyles(pb.ListStylesRequest())
            assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    finally:
        await server.stop(notice_s=0)


async def test_the_composer_steps_in_and_its_results_say_what_riffusion_takes(tmp_path: Path) -> None:
    result = await joy_by(settings(tmp_path))
    assert result.engine.name == "composer"
    (advice,) = result.engine.advice
    assert advice.startswith("Riffusion would add texture")
    assert "`etbgm models pull riffusion-model-v1`" in advice
    assert not result.notes


async def test_a_result_that_is_found_again_says_what_is_true_now(tmp_path: Path) -> None:
    wanted = await joy_by(settings(tmp_path, riffusion_engine="composer"))
    assert not wanted.engine.advice
    found = await joy_by(settings(tmp_path))
    assert found.timings.found
    assert found.engine.advice
