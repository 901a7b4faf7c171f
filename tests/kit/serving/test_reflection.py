"""What programs without the contract's files learn from a server."""

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2  # noqa: F401  (its descriptor is asked for)
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse

from etbgm_kit.serving.reflection import enable_reflection

pytestmark = pytest.mark.process


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_both_versions_describe_the_services(version: str) -> None:
    server = grpc.aio.server()
    enable_reflection(("grpc.health.v1.Health",), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    requests = [
        ServerReflectionRequest(list_services=""),
        ServerReflectionRequest(file_containing_symbol="grpc.health.v1.Health"),
    ]
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            ask = channel.stream_stream(
                f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=ServerReflectionResponse.FromString,
            )
            listed, described = [response async for response in ask(iter(requests))]
    finally:
        await server.stop(None)
    names = {service.name for service in listed.list_services_response.service}
    assert {"grpc.health.v1.Health", f"grpc.reflection.{version}.ServerReflection"} <= names
    data = described.file_descriptor_response.file_descriptor_proto[0]
    assert FileDescriptorProto.FromString(data).package == "grpc.health.v1"
