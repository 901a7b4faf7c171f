"""The scaler, asked as KEDA asks."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from externalscaler import externalscaler_pb2, externalscaler_pb2_grpc
from tests.gateway.api_server import api_server, pod, write_kubeconfig
from tests.gateway.conftest import FakeServices, Gateway
from tests.gateway.keda import METADATA, keda
from tests.servers import free_port

pytestmark = pytest.mark.process

SOON_S = 30.0


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(SOON_S):
        while not holds():
            await asyncio.sleep(0.01)


async def cues(gateway: Gateway) -> float:
    """What GetMetrics says."""
    reference = externalscaler_pb2.ScaledObjectRef(scalerMetadata=METADATA)
    async with grpc.aio.insecure_channel(gateway.scaler_address) as channel:
        stub = externalscaler_pb2_grpc.ExternalScalerStub(channel)
        request = externalscaler_pb2.GetMetricsRequest(scaledObjectRef=reference, metricName="etbgm_cues")
        return (await stub.GetMetrics(request)).metricValues[0].metricValueFloat


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"cuesPerReplica": "2"}, "service"),
        ({"service": "mixer", "cuesPerReplica": "2"}, "service"),
        ({"service": "riffusion"}, "cuesPerReplica"),
        ({"service": "riffusion", "cuesPerReplica": "0"}, "cuesPerReplica"),
        ({"service": "riffusion", "cuesPerReplica": "inf"}, "cuesPerReplica"),
        ({"service": "riffusion", "cuesPerReplica": "two"}, "cuesPerReplica"),
    ],
)
async def test_metadata_that_cannot_be_used_is_an_error_of_every_method(
    shared_gateway: Gateway, metadata: dict[str, str], field: str
) -> None:
    reference = externalscaler_pb2.ScaledObjectRef(scalerMetadata=metadata)
    async with grpc.aio.insecure_channel(shared_gateway.scaler_address) as channel:
        stub = externalscaler_pb2_grpc.ExternalScalerStub(channel)
        for call in (
            lambda: stub.IsActive(reference),
            lambda: stub.GetMetricSpec(reference),
            lambda: stub.GetMetrics(externalscaler_pb2.GetMetricsRequest(scaledObjectRef=reference)),
            lambda: stub.StreamIsActive(reference).read(),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call()
            assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert (caught.value.details() or "").startswith(f"scalerMetadata.{field}: must be")


async def test_queued_and_running_cues_are_counted_until_they_are_rendered(
    gateway: Gateway, services: FakeServices
) -> None:
    assert await cues(gateway) == 0
    with services.hold("Generate"):
        with services.hold("Extract"):
            async with gateway.api() as api:
                # Three minutes are two cues, unless stems are wanted; four of these five jobs run.
                jobs = [await api.create(await api.video(180), variants=2) for _ in range(4)]
                jobs.append(await api.create(await api.video(300), variants=1, stems=True))
                assert await cues(gateway) == 4 * 2 * 2 + 1
                await services.until("Extract", 4)
        await services.until("Generate", 4)
        assert await cues(gateway) == 4 * 2 * 2 + 1
        gateway.kill()
        gateway.start()
        await services.until("Generate", 8)
        assert await cues(gateway) == 4 * 2 * 2 + 1
        async with gateway.api() as api:
            await api.stub.CancelJob(pb.CancelJobRequest(job_id=jobs[4].job_id))
        assert await cues(gateway) == 4 * 2 * 2
    with services.hold("Mix"):
        await services.until("Mix", 2)
        async with asyncio.timeout(SOON_S):
            while await cues(gateway):
                await asyncio.sleep(0.05)


async def test_all_gateways_tell_the_same(
    tmp_path: Path, services: FakeServices, postgresql_url: str
) -> None:
    gateways = [Gateway(tmp_path / name, services, postgresql_url, name) for name in ("one", "other")]
    try:
        # At the same time, on a database that is still empty.
        await asyncio.gather(*(asyncio.to_thread(gateway.start) for gateway in gateways))
        with services.hold("Extract"):
            async with gateways[0].api() as api:
                await api.create(await api.video(), variants=3)
            assert [await cues(gateway) for gateway in gateways] == [3, 3]
    finally:
        for gateway in gateways:
            gateway.kill()


async def test_the_music_service_is_scaled_from_none_and_back_to_none(
    tmp_path: Path, services: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, port = services.addresses["riffusion_address"].split(":")
    async with api_server() as server:
        write_kubeconfig(tmp_path / "kubeconfig", server.url)
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        here = {"riffusion_address": "kubernetes://etbgm/riffusion:grpc", "calls_per_replica": "8"}
        gateway = Gateway(tmp_path, services, **here, listen_address=f"127.0.0.1:{free_port()}")
        # It asks this event loop for the replicas before it is ready.
        await asyncio.to_thread(gateway.start)

        def scale(replicas: int) -> None:
            pods = [pod(host, uid=str(number)) for number in range(replicas)]
            server.put("riffusion-a", pods, ports={"grpc": int(port)})

        try:
            async with keda(gateway.scaler_address, scale, poll_s=0.4, most=4) as scaler:
                await until(lambda: len(scaler.values) > 2)
                assert (scaler.replicas, scaler.pushes) == (0, 0)
                with services.hold("Generate"):
                    async with gateway.api() as api:
                        jobs = [await api.create(await api.video(), variants=3) for _ in range(2)]
                    await until(lambda: scaler.pushes == 1)
                    await services.until("Generate", 6)
                    await until(lambda: scaler.replicas == 3)
                    # Longer than the cooldown: cues that are being rendered keep their replicas.
                    await asyncio.sleep(2.0)
                    assert scaler.replicas == 3
                    await asyncio.to_thread(gateway.kill)
                    await until(lambda: scaler.failures > 0)
                    assert scaler.replicas == 3
                    await asyncio.to_thread(gateway.start)
                    await until(lambda: scaler.pushes == 2)
                async with gateway.api() as api:
                    states = [(await api.finished(job.job_id)).state for job in jobs]
                assert states == [pb.STATE_SUCCEEDED] * 2
                await until(lambda: scaler.replicas == 0)
                async with gateway.api() as api:
                    with services.hold("Generate"):
                        job = await api.create(await api.video(), variants=1)
                        await until(lambda: scaler.pushes == 3)
                    assert (await api.finished(job.job_id)).state == pb.STATE_SUCCEEDED
        finally:
            await asyncio.to_thread(gateway.kill)
