"""A client whose gateway is still starting, or never starts."""

import asyncio

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import gateway_pb2_grpc
from etbgm_client import ApiError, AsyncClient, aio
from tests.servers import free_port


class FakeGateway(gateway_pb2_grpc.GatewayServiceServicer):
    """Knows one job."""

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
