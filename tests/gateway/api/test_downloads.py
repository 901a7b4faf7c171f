"""Downloads of long artifacts from S3: how often, how far ahead and how long the gateway reads."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator

import grpc
import pytest
import pytest_asyncio

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.counting_s3 import CountingS3, counting_s3
from tests.gateway.conftest import Api, FakeServices, Gateway

URI = f"s3://artifacts/artifacts/00/{'0' * 64}.mp4"
LENGTH = 64 << 20
READ_AHEAD = 24 << 20
"""More than the buffers of two connections hold: S3 to gateway, gateway to client."""


pytestmark = [pytest.mark.process, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared_s3() -> AsyncIterator[CountingS3]:
    async with counting_s3(random.Random(7).randbytes(LENGTH)) as server:
        yield server


@pytest.fixture(scope="module")
def shared_gateway(
    shared_s3: CountingS3, shared_services: FakeServices, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway whose artifacts lie in `shared_s3`."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in shared_s3.environment.items():
            patch.setenv(name, value)
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), shared_services, store_url="s3://artifacts")
    yield gateway.start()
    gateway.kill()


@pytest.fixture
def s3(shared_s3: CountingS3) -> CountingS3:
    """The server, as if nobody had asked it yet."""
    shared_s3.forget()
    return shared_s3


@pytest_asyncio.fixture(loop_scope="module")
async def api(shared_gateway: Gateway) -> AsyncIterator[Api]:
    async with shared_gateway.api() as api:
        yield api


async def test_a_long_artifact_takes_two_requests(api: Api, s3: CountingS3) -> None:
    request = pb.DownloadArtifactRequest(uri=URI, offset_bytes=5, length_bytes=20 << 20)
    blocks = [response.data async for response in api.stub.DownloadArtifact(request)]
    assert b"".join(blocks) == s3.data[5 : 5 + (20 << 20)]
    assert max(map(len, blocks)) <= 1 << 20
    assert s3.requests == [("HEAD", ""), ("GET", f"bytes=5-{4 + (20 << 20)}")]


async def test_a_client_that_does_not_read_stops_the_reading_and_one_that_leaves_ends_it(
    api: Api, s3: CountingS3
) -> None:
    call = api.stub.DownloadArtifact(pb.DownloadArtifactRequest(uri=URI))
    assert (await call.read()).data
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            while s3.sent < READ_AHEAD:
                await asyncio.sleep(0.05)
    call.cancel()
    async with asyncio.timeout(10):
        await s3.left.wait()


async def test_a_download_goes_on_where_s3_broke_off(api: Api, s3: CountingS3) -> None:
    s3.breaks_after = 25 << 20
    request = pb.DownloadArtifactRequest(uri=URI)
    assert b"".join([response.data async for response in api.stub.DownloadArtifact(request)]) == s3.data
    assert [method for method, _ in s3.requests] == ["HEAD", "GET", "GET", "GET"]


async def test_a_download_fails_when_s3_gives_nothing(api: Api, s3: CountingS3) -> None:
    s3.breaks_after = 0
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await api.stub.DownloadArtifact(pb.DownloadArtifactRequest(uri=URI)).read()
    assert caught.value.code() is grpc.StatusCode.INTERNAL
