"""Requests that are made at random from the contract's descriptors, and the statuses that may answer them."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import cache
from typing import Any

import grpc
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.surface import compiled

DEADLINE_S = 20.0
"""A call that takes longer has failed: every sample is answered in a fraction of it."""

MANY = 2000
"""Elements of the longest lists."""

_DEPTH = 5
_LOST = ("INTERNAL", "Internal error from Core")
"""What grpc.aio's client reports when the server ends a call to which the client still writes."""
_CODES = re.compile(r"\b([A-Z_]{4,}):")
_ODD_TEXTS = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\n",
        "é",
        "e\u0301",
        "🎵",
        "\u202e",
        "\ufffe",
        "\x7f",
        "%s%n{}",
        "-1",
        "NaN",
        "en",
    ),
    *(
        "../../etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1:9/",
        "'; DROP TABLE jobs; --",
        "A" * 20_000,
    ),
)
_ODD_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-320, 1e9, 1e308, float("nan"), float("inf"), -float("inf"))

Parts = Mapping[str, Sequence[Message]]
"""Usable messages by their full name, which random requests take over now and then."""


@cache
def declared_codes() -> dict[str, frozenset[str]]:
    """The statuses that the comments of each rpc and its service list, by "/package.Service/Method"."""
    names = {code.name for code in grpc.StatusCode}
    codes = {}
    for file in compiled():
        comments = {tuple(at.path): at.leading_comments for at in file.source_code_info.location}
        for i, service in enumerate(file.service):
            of_all = _CODES.findall(comments[6, i])
            for j, method in enumerate(service.method):
                listed = [*of_all, *_CODES.findall(comments[6, i, 2, j])]
                codes[f"/{file.package}.{service.name}/{method.name}"] = frozenset(listed) & names
    return codes


def path_of(method: MethodDescriptor) -> str:
    """How gRPC names `method`."""
    return f"/{method.containing_service.full_name}/{method.name}"


class Target:
    """A running server and the loop that its client runs on."""

    def __init__(self, channel: AbstractAsyncContextManager[grpc.aio.Channel]) -> None:
        self.loop, self._stack = asyncio.Runner(), AsyncExitStack()
        self.channel = self.loop.run(self._stack.enter_async_context(channel))

    def close(self) -> None:
        self.loop.run(self._stack.aclose())
        self.loop.close()

    def code_of(self, method: MethodDescriptor, messages: Sequence[Message]) -> tuple[str, str]:
        """The status that the call ends with, and its text."""
        while (answer := self.loop.run(self._call(method, messages))) == _LOST:
            pass
        return answer

    def is_healthy(self) -> bool:
        """False unless the server says that it serves; True where it has no health service."""
        stub = health_pb2_grpc.HealthStub(self.channel)  # type: ignore[no-untyped-call]

        async def check() -> bool:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=DEADLINE_S)
            except grpc.aio.AioRpcError as error:
                return error.code() is grpc.StatusCode.UNIMPLEMENTED
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

        return self.loop.run(check())

    async def _call(self, method: MethodDescriptor, messages: Sequence[Message]) -> tuple[str, str]:
        kinds = (
            "stream" if streams else "unary" for streams in (method.client_streaming, method.server_streaming)
        )
        make: Callable[..., Any] = getattr(self.channel, "_".join(kinds))
        call = make(path_of(method), request_serializer=lambda message: message.SerializeToString())(
            iter(messages) if method.client_streaming else messages[0], timeout=DEADLINE_S
        )
        try:
            if method.server_streaming:
                async for _ in call:
                    pass
            else:
                await call
        except grpc.aio.AioRpcError as error:
            return error.code().name, error.details() or ""
        return "OK", ""


def fuzz(
    target: Target, method: MethodDescriptor, samples: Sequence[Message], parts: Parts, calls: int
) -> None:
    """Fails when `method` answers with a status that its comment does not list, or harms the server.

    Requests are variations of `samples` and of the empty request, the same ones in each run.
    """
    allowed = declared_codes()[path_of(method)] | {"OK"}
    one = st.sampled_from([GetMessageClass(method.input_type)(), *samples]).flatmap(
        lambda sample: variations(sample, parts)
    )
    streams = st.lists(one, max_size=4) if method.client_streaming else one.map(lambda message: [message])

    @settings(
        derandomize=True, database=None, deadline=None, max_examples=calls, suppress_health_check=HealthCheck
    )
    @given(streams)
    def check(messages: list[Message]) -> None:
        code, text = target.code_of(method, messages)
        assert code in allowed, f"{path_of(method)} answered {code}, which its comment does not list: {text}"

    check()
    assert target.is_healthy()


@st.composite
def variations(draw: st.DrawFn, sample: Message, parts: Parts, depth: int = _DEPTH) -> Message:
    """`sample` with up to three of its fields changed."""
    message = type(sample)()
    message.CopyFrom(sample)
    fields = list(message.DESCRIPTOR.fields)
    for field in draw(st.lists(st.sampled_from(fields), max_size=3)) if fields and depth else ():
        old = getattr(message, field.name)
        if field.message_type and field.message_type.GetOptions().map_entry:
            keys = st.sampled_from([*old, *_ODD_TEXTS])
            old.update(draw(st.dictionaries(keys, st.sampled_from(_ODD_TEXTS), max_size=3)))
        elif field.is_repeated:
            new = draw(_lists(field, list(old), parts, depth))
            message.ClearField(field.name)
            old.extend(new)
        elif field.message_type is None:
            setattr(message, field.name, draw(_scalars(field)))
        else:
            new = draw(st.none() | _messages(field, [old], parts, depth))
            message.ClearField(field.name)
            if new is not None:
                getattr(message, field.name).CopyFrom(new)
    return message


def _lists(field: FieldDescriptor, old: list[Any], parts: Parts, depth: int) -> st.SearchStrategy[list[Any]]:
    one = _messages(field, old, parts, depth) if field.message_type else _scalars(field)
    some = st.lists(one, max_size=3)
    return (
        some
        | some.map(lambda new: [*old, *new])
        | one.map(lambda value: [value] * MANY)
        | st.just([*old, *old])
    )


def _messages(
    field: FieldDescriptor, old: list[Message], parts: Parts, depth: int
) -> st.SearchStrategy[Message]:
    kind = field.message_type
    samples = [GetMessageClass(kind)(), *old, *parts.get(kind.full_name, ())]
    return st.sampled_from(samples).flatmap(lambda sample: variations(sample, parts, depth - 1))


def _scalars(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    kinds = FieldDescriptor
    if field.type in (kinds.TYPE_DOUBLE, kinds.TYPE_FLOAT):
        return st.sampled_from(_ODD_FLOATS) | st.floats(width=64 if field.type == kinds.TYPE_DOUBLE else 32)
    if field.type in (kinds.TYPE_INT32, kinds.TYPE_INT64):
        most = 2**31 if field.type == kinds.TYPE_INT32 else 2**63
        return st.sampled_from([0, 1, -1, 2, 100, 10**9, most - 1, -most]) | st.integers(-most, most - 1)
    if field.type == kinds.TYPE_ENUM:
        return st.sampled_from(_enum_numbers(field.enum_type))
    if field.type == kinds.TYPE_BOOL:
        return st.booleans()
    if field.type == kinds.TYPE_BYTES:
        return st.binary(max_size=50) | st.just(bytes((1 << 20) + 1))
    assert field.type == kinds.TYPE_STRING, field.full_name
    return st.sampled_from(_ODD_TEXTS) | st.text(max_size=20)


def _enum_numbers(enum: EnumDescriptor) -> list[int]:
    return [*(value.number for value in enum.values), -1, 99, 2**31 - 1]
