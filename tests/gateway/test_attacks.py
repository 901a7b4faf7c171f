"""Attacks are refused with declared statuses, and the gateway answers its other callers as before."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import grpc
import pytest
from google.protobuf.message import Message

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import AsyncClient
from etbgm_kit.serving.status import error_from_rpc, reason_of
from tests.contract.fuzzing import declared_codes
from tests.gateway.attacks import calls, web
from tests.gateway.attacks.calls import Attack
from tests.gateway.attacks.web import WebAttack
from tests.gateway.attacks.world import World, world
from tests.gateway.conftest import FakeServices

pytestmark = pytest.mark.process

DEADLINE_S = 20.0
OPTIONS = (("grpc.max_send_message_length", -1), ("grpc.max_metadata_size", 4 << 20))
SECRETS = ("Traceback", "/tmp/", "sqlite", "site-packages", "root:x:0")
"""What no answer contains."""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, shared_services: FakeServices) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("attacked"), shared_services) as attacked:
        yield attacked
        assert attacked.gateway.log
        assert [line for line in attacked.gateway.log.read_text().splitlines() if "error_id" in line] == []


async def is_unharmed(attacked: World) -> bool:
    """Whether alice finds her job as it was."""
    async with AsyncClient(attacked.gateway.address, attacked.alice) as alice:
        jobs = await alice.list_jobs()
        return [job.job_id for job in jobs] == [attacked.job.job_id] and (
            await alice.get_job(attacked.job.job_id) == attacked.job
        )


async def refusal(channel: grpc.aio.Channel, attack: Attack, attacked: World) -> grpc.aio.AioRpcError:
    """How the call ends. Fails if it succeeds."""
    path, metadata, sent = (
        f"/{attack.service}/{attack.method}",
        attack.metadata(attacked),
        attack.sent(attacked),
    )
    rest = {"timeout": DEADLINE_S, "metadata": metadata}
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        if isinstance(sent, Message | bytes):
            data = sent if isinstance(sent, bytes) else sent.SerializeToString()
            async for _ in channel.unary_stream(path)(data, **rest):
                pass
        else:
            await channel.stream_unary(path)(iter([each.SerializeToString() for each in sent]), **rest)
    return caught.value


@pytest.mark.parametrize("attack", [pytest.param(each, id=each.name) for each in calls.ATTACKS])
async def test_over_grpc(attack: Attack, attacked: World) -> None:
    async with grpc.aio.insecure_channel(attacked.gateway.address, options=OPTIONS) as channel:
        error = await refusal(channel, attack, attacked)
    status = error_from_rpc(error)
    assert (status.status_code, reason_of(status.status)) == (attack.code, attack.reason), error.details()
    declared = declared_codes().get(f"/{attack.service}/{attack.method}", frozenset())
    assert status.status_code in declared | {"UNIMPLEMENTED"}
    assert not [word for word in SECRETS if word in f"{error.details()} {status.status}"]
    assert await is_unharmed(attacked)


async def answer(attack: WebAttack, attacked: World) -> bytes:
    """All that the server sends until it closes the connection."""
    host, port = attacked.http_address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(DEADLINE_S):
            with suppress(ConnectionError):  # it may close before it has read all
                writer.write(attack.sent(attacked))
                await writer.drain()
            received = bytearray()
            with suppress(ConnectionError):
                while data := await reader.read(65536):
                    received += data
            return bytes(received)
    finally:
        writer.close()


@pytest.mark.parametrize("attack", [pytest.param(each, id=each.name) for each in web.ATTACKS])
async def test_over_http(attack: WebAttack, attacked: World) -> None:
    head, _, body = (await answer(attack, attacked)).partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
    assert status, head
    assert int(status[1]) in attack.statuses, body
    assert b"access-control-allow-origin" not in head.lower()
    assert not [word for word in SECRETS if word.encode() in head + body]
    assert await is_unharmed(attacked)


@pytest.fixture
async def alice(attacked: World) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(attacked.gateway.address, attacked.alice) as client:
        yield client


async def test_a_foreign_page_may_not_read_an_answer(attacked: World) -> None:
    attack = web.attack("", "GET /v1/jobs", 200, headers={"origin": "https://evil.example"})
    head, _, _ = (await answer(attack, attacked)).partition(b"\r\n\r\n")
    assert b"access-control-allow-origin" not in head.lower()


async def test_an_attackers_upload_does_not_change_anothers(attacked: World, alice: AsyncClient) -> None:
    request = pb.GetUploadRequest(upload_id=attacked.alices_upload_id)
    state = await alice._stub.GetUpload(request, metadata=calls.bearer(attacked.alice))
    assert state.received_bytes == 10


def test_there_are_many() -> None:
    attacks = [*calls.ATTACKS, *web.ATTACKS]
    assert len({attack.name for attack in attacks}) >= 60
