"""Networks and services that fail: between a client and its gateway, and between a gateway and services."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_health.v1 import health_pb2, health_pb2_grpc

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import ApiError, AsyncClient, aio
from tests.faults import FaultyNetwork, faulty_network
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process

SOON_S = 20.0
PINGS = ("grpc.keepalive_time_ms", "grpc.keepalive_timeout_ms", "grpc.http2.ping_timeout_ms")
PING_MS = 500
"""How soon the client notices that a connection is dead, in place of its 20 s."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that notices a dead connection at once and gives up soon after."""
    options = {**dict(aio._OPTIONS), **dict.fromkeys(PINGS, PING_MS), "grpc.min_reconnect_backoff_ms": 500}
    monkeypatch.setattr(aio, "_OPTIONS", tuple(options.items()))
    monkeypatch.setattr(aio, "RECONNECT_S", 2.0)


@pytest.fixture
async def network(shared_gateway: Gateway) -> AsyncIterator[FaultyNetwork]:
    """Between clients and the gateway."""
    async with faulty_network(shared_gateway.address) as network:
        yield network


async def test_a_watch_outlives_a_connection_that_is_cut(
    network: FaultyNetwork, services: FakeServices, api: Api
) -> None:
    async with asyncio.timeout(SOON_S), AsyncClient(network.address) as client:
        with services.hold("Extract"):
            job = await api.create(await api.video())
            updates = client.watch(job.job_id)
            assert (await anext(updates)).job_id == job.job_id
            network.cut()
            # The job as it stands is sent anew.
            assert (await anext(updates)).job_id == job.job_id
        *_, last = [update async for update in updates]
    assert last.state == pb.STATE_SUCCEEDED
    assert network.connections >= 2


async def test_a_watch_survives_a_slow_network(network: FaultyNetwork, api: Api) -> None:
    network.delay(0.1)
    async with asyncio.timeout(SOON_S), AsyncClient(network.address) as client:
        assert (await client.wait((await api.create(await api.video())).job_id)).state == pb.STATE_SUCCEEDED


@pytest.mark.usefixtures("quick")
async def test_a_watch_gives_up_when_the_network_drops_everything(
    network: FaultyNetwork, services: FakeServices, api: Api
) -> None:
    async with asyncio.timeout(SOON_S), AsyncClient(network.address) as client:
        with services.hold("Extract"):
            updates = client.watch((await api.create(await api.video())).job_id)
            await anext(updates)
            network.blackhole()
            with pytest.raises(ApiError) as caught:
                while True:
                    await anext(updates)
    assert caught.value.code == "UNAVAILABLE"


@pytest.mark.usefixtures("quick")
async def test_a_watch_goes_on_when_the_network_is_back(
    network: FaultyNetwork, services: FakeServices, api: Api
) -> None:
    async with asyncio.timeout(SOON_S), AsyncClient(network.address) as client:
        with services.hold("Extract"):
            updates = client.watch((await api.create(await api.video())).job_id)
            await anext(updates)
            network.blackhole()
            going_on = asyncio.ensure_future(anext(updates))
            # It has noticed that the first connection is dead.
            while network.connections < 2:
                await asyncio.sleep(0.01)
            network.resume()
            await going_on
        *_, last = [update async for update in updates]
    assert last.state == pb.STATE_SUCCEEDED


UPLOADER = """
import sys, time
import grpc
from etbgm.gateway.v1 import gateway_pb2 as pb, gateway_pb2_grpc

def parts():
    yield pb.UploadVideoRequest(opening=pb.UploadOpening(upload_id="frozen-uploader", size_bytes=10))
    yield pb.UploadVideoRequest(data=b"12345")
    time.sleep(600)

with grpc.insecure_channel(sys.argv[1]) as channel:
    gateway_pb2_grpc.GatewayServiceStub(channel).UploadVideo(parts())
"""


async def test_a_frozen_uploader_releases_its_upload(tmp_path: Path, services: FakeServices) -> None:
    gateway = Gateway(tmp_path, services, ping_after_s="1", ping_timeout_s="0.5").start()
    frozen = subprocess.Popen([sys.executable, "-c", UPLOADER, gateway.address])
    opening = pb.UploadOpening(upload_id="frozen-uploader", offset_bytes=5, size_bytes=10)
    parts = [pb.UploadVideoRequest(opening=opening), pb.UploadVideoRequest(data=b"67890")]
    try:
        async with asyncio.timeout(SOON_S), gateway.api() as api:
            await _until_received(api, "frozen-uploader", 5)
            os.kill(frozen.pid, signal.SIGSTOP)
            with pytest.raises(grpc.aio.AioRpcError, match="another call is sending"):
                await api.stub.UploadVideo(iter(parts))
            while True:
                try:
                    answer = await api.stub.UploadVideo(iter(parts))
                    break
                except grpc.aio.AioRpcError as error:
                    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
                    await asyncio.sleep(0.5)
        assert answer.received_bytes == 10
    finally:
        frozen.kill()
        frozen.wait()
        gateway.kill()


async def test_a_client_that_pings_without_a_call_is_not_turned_away(shared_gateway: Gateway) -> None:
    """Every 5 s is permitted; a server that forbids it closes the connection at the third ping."""
    options = (
        ("grpc.keepalive_time_ms", 5000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )
    async with (
        faulty_network(shared_gateway.address) as network,
        grpc.aio.insecure_channel(network.address, options) as channel,
    ):
        await channel.channel_ready()
        leaving = asyncio.ensure_future(channel.wait_for_state_change(grpc.ChannelConnectivity.READY))
        _, pending = await asyncio.wait([leaving], timeout=21)
        assert pending, channel.get_state()
        leaving.cancel()


async def test_a_job_outlives_faults_between_gateway_and_service(
    tmp_path: Path, services: FakeServices
) -> None:
    async with faulty_network(services.addresses["riffusion_address"]) as network:
        gateway = Gateway(tmp_path, services, riffusion_address=network.address).start()
        try:
            async with asyncio.timeout(SOON_S), gateway.api() as api:
                network.delay(0.05)
                with services.hold("Generate"):
                    job = await api.create(await api.video(), variants=2)
                    await services.until("Generate", 2)
                    network.cut()
                    await services.until("Generate", 4)
                assert (await api.finished(job.job_id)).state == pb.STATE_SUCCEEDED
        finally:
            gateway.kill()


async def test_a_dead_service_is_named_then_given_up(tmp_path: Path, services: FakeServices) -> None:
    music = FakeServices(tmp_path / "music", services.store_url, {}, "riffusion")
    address = music.addresses["riffusion_address"]
    gateway = Gateway(tmp_path / "gateway", services, riffusion_address=address, replica_wait_s="4").start()
    try:
        async with asyncio.timeout(SOON_S * 2), gateway.api() as api:
            health = health_pb2_grpc.HealthStub(api.channel)
            await _until_health(health, "upstream.riffusion", health_pb2.HealthCheckResponse.SERVING)
            with music.hold("Generate"):
                job = await api.create(await api.video(), variants=2)
                await music.until("Generate", 2)
                music.kill()
                waiting = await _until_waiting(api, job.job_id)
            assert (waiting.stage, waiting.waiting_for) == (pb.STAGE_GENERATE, "riffusion")
            await _until_health(health, "upstream.riffusion", health_pb2.HealthCheckResponse.NOT_SERVING)
            await _until_health(health, "", health_pb2.HealthCheckResponse.SERVING)
            failed = await api.finished(job.job_id)
    finally:
        gateway.kill()
    info = ErrorInfo()
    assert failed.error.details[0].Unpack(info)
    assert (failed.error.code, info.reason) == (grpc.StatusCode.UNAVAILABLE.value[0], "SERVICE_UNAVAILABLE")
    assert info.metadata == {"service": "riffusion", "retryable": "true"}
    assert failed.error.message == "the riffusion service had no replica that takes calls for 4 s"
    assert not any(stage.waiting_for for stage in failed.stages)


async def _until_received(api: Api, upload_id: str, size_bytes: int) -> None:
    for _ in itertools.count():
        try:
            answer = await api.stub.GetUpload(pb.GetUploadRequest(upload_id=upload_id))
            if answer.received_bytes == size_bytes:
                return
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.NOT_FOUND
        await asyncio.sleep(0.02)


async def _until_waiting(api: Api, job_id: str) -> pb.StageProgress:
    """The stage that waits for a service, within the 10 s that are promised."""
    async with asyncio.timeout(10):
        async for response in api.stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
            for stage in response.job.stages:
                if stage.waiting_for:
                    return stage
    raise AssertionError("the job ended")


async def _until_health(health: health_pb2_grpc.HealthStub, name: str, status: int) -> None:
    request = health_pb2.HealthCheckRequest(service=name)
    while (await health.Check(request)).status != status:
        await asyncio.sleep(0.05)
