"""A client whose gateway is still starting, or never starts."""

import asyncio

import grpc
import pytest
from grpc_status import rpc_status

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import gateway_pb2_grpc
from etbgm.media.v1 import media_pb2
from etbgm_client import ApiError, AsyncClient, aio
from etbgm_kit.errors import Busy
from etbgm_kit.serving.interceptor import Context
from etbgm_kit.serving.status import status_of
from tests.client.served import served
from tests.servers import free_port


class FakeGateway(gateway_pb2_grpc.GatewayServiceServicer):
    """Knows one job; is busy, with these times to retry in seconds, before it creates another."""

    def __init__(self, *busy_s: float) -> None:
        self.busy_s, self.request_ids = list(busy_s), set[str]()

    async def CreateJob(self, request: pb.CreateJobRequest, context: Context) -> pb.CreateJobResponse:
        self.request_ids.add(request.request_id)
        if self.busy_s:
            await context.abort_with_status(rpc_status.to_status(status_of(Busy(self.busy_s.pop(0)))))
        return pb.CreateJobResponse(job=pb.Job(job_id="new"))

    async def GetJob(self, request: pb.GetJobRequest, context: object) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=pb.Job(job_id=request.job_id))


async def test_a_gateway_that_starts_meanwhile_is_waited_for() -> None:
    address = f"127.0.0.1:{free_port()}"

    async def ask() -> pb.Job:
        async with AsyncClient(address) as gateway:
            return await gateway.get_job("one")

    asking = asyncio.create_task(ask())
    await asyncio.sleep(0.5)
    server = grpc.aio.server()
    gateway_pb2_grpc.add_GatewayServiceServicer_to_server(FakeGateway(), server)
    server.add_insecure_port(address)
    await server.start()
    try:
        assert (await asking).job_id == "one"
    finally:
        await server.stop(None)


async def test_where_no_gateway_answers_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aio, "CONNECT_S", 0.3)
    with pytest.raises(ApiError, match=r"no gateway answers at 127\.0\.0\.1:1$") as caught:
        async with AsyncClient("127.0.0.1:1"):
            pass
    assert caught.value.code == "UNAVAILABLE"


async def test_a_job_is_created_when_the_gateway_is_no_longer_busy() -> None:
    fake = FakeGateway(0.01, 0.02)
    with served(fake) as address:
        async with AsyncClient(address) as gateway:
            assert (await gateway.create_job(media_pb2.Artifact())).job_id == "new"
            assert len(fake.request_ids) == 1
            fake.busy_s = [600]
            with pytest.raises(ApiError) as caught:
                await gateway.create_job(media_pb2.Artifact())
    assert (caught.value.code, caught.value.retry_after_s) == ("RESOURCE_EXHAUSTED", 600)
