"""A gateway that is told to stop while streams without an end are open."""

from pathlib import Path

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from externalscaler import externalscaler_pb2, externalscaler_pb2_grpc
from tests.gateway.conftest import FakeServices, Gateway
from tests.gateway.keda import METADATA

pytestmark = pytest.mark.process


async def test_streams_without_an_end_are_ended(tmp_path: Path, services: FakeServices) -> None:
    # It would drain longer than `stop` waits.
    gateway = Gateway(tmp_path / "gateway", services, drain_s="600").start()
    async with gateway.api() as api, grpc.aio.insecure_channel(gateway.scaler_address) as channel:
        with services.hold("Extract"):
            job = await api.create(await api.video())
            await services.until("Extract")
            watched = api.stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id))
            scaler = externalscaler_pb2_grpc.ExternalScalerStub(channel)
            pushed = scaler.StreamIsActive(externalscaler_pb2.ScaledObjectRef(scalerMetadata=METADATA))
            assert (await watched.read()).job.job_id == job.job_id
            assert (await pushed.read()).result is True
            assert gateway.stop() == 0
        with pytest.raises(grpc.aio.AioRpcError, match="call again") as error:
            while await watched.read() is not grpc.aio.EOF:
                pass
        assert error.value.code() is grpc.StatusCode.UNAVAILABLE
        # KEDA asks again at once after a good end, and ever later after others.
        assert await pushed.read() is grpc.aio.EOF
        assert await pushed.code() is grpc.StatusCode.OK
