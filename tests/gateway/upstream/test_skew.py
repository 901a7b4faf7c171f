"""Gateway, services and clients of different versions, as in the middle of an upgrade."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process

UNKNOWN = b"\xc2\x3e\x08tomorrow"
"""Field 1000 of a message, as it is sent: eight letters."""

STREAMS = ("Extract", "Separate", "Transcribe", "Generate", "Mix")
"""Methods of services that answer with progress, then a result."""

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"


class Tomorrow(grpc.GenericRpcHandler):  # type: ignore[type-arg]
    """Stands before a server and makes it one of the next version; to the server it is a client of that.

    Every message has one field more, and a stream also has a message with nothing that today's clients know.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self.passed = 0

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        async def forward(requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            call = self._channel.stream_stream(details.method)(r + UNKNOWN async for r in requests)
            try:
                async for answer in call:
                    self.passed += 1
                    yield answer + UNKNOWN
                    if details.method.endswith(STREAMS):
                        yield UNKNOWN
            except grpc.aio.AioRpcError as error:
                trailing = error.trailing_metadata() or ()
                await context.abort(error.code(), error.details() or "", tuple(trailing))
            finally:
                call.cancel()

        return grpc.stream_stream_rpc_method_handler(forward)


@asynccontextmanager
async def tomorrow(address: str) -> AsyncIterator[tuple[str, Tomorrow]]:
    """The address of tomorrow's version of the server at `address`, and how much it passed on."""
    async with grpc.aio.insecure_channel(address) as channel:
        handler = Tomorrow(channel)
        server = grpc.aio.server()
        server.add_generic_rpc_handlers([handler])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}", handler
        finally:
            await server.stop(0)


async def test_a_gateway_works_with_services_of_the_next_version(
    tmp_path: Path, services: FakeServices
) -> None:
    async with AsyncExitStack() as stack:
        nexts = {
            name: await stack.enter_async_context(tomorrow(address))
            for name, address in services.addresses.items()
        }
        addresses = {name: address for name, (address, _) in nexts.items()}
        gateway = Gateway(tmp_path / "gateway", services, **addresses).start()
        stack.callback(gateway.kill)
        api = await stack.enter_async_context(gateway.api())
        job = await api.run(await api.video(), variants=1)
        assert job.state == pb.STATE_SUCCEEDED
        assert await api.read(job.result.variants[0].video)
        failed = await api.run(await api.video(fail="is broken"), variants=1)
        assert "is broken" in failed.error.message
        assert all(handler.passed for _, handler in nexts.values())


async def test_a_client_of_the_next_version_works_with_a_gateway(shared_gateway: Gateway) -> None:
    async with (
        tomorrow(shared_gateway.address) as (address, _),
        grpc.aio.insecure_channel(address) as channel,
    ):
        api = Api(channel)
        video = await api.upload(json.dumps({"duration_s": 10}).encode())
        job = await api.run(video, variants=1)
        assert job.state == pb.STATE_SUCCEEDED
        assert await api.read(job.result.report)
