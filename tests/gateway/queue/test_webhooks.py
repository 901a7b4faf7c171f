"""Webhooks of a real gateway, received by a server of the test."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import ApiError, AsyncClient
from etbgm_gateway.outgoing.addresses import NOT_ALLOWED
from etbgm_gateway.queue.deliveries import event_of
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process

Event = tuple[str, dict[str, str], str]
"""Path, headers and body."""


class Receiver:
    """Answers each request with the next of `statuses`, or 204, and keeps it."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.events: list[Event] = []
        self.url = ""

    async def __aenter__(self) -> "Receiver":
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def until(self, number: int) -> list[Event]:
        async with asyncio.timeout(30):
            while len(self.events) < number:
                await asyncio.sleep(0.05)
        return self.events

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.events.append((request.path, headers, await request.text()))
        status = self.statuses.pop(0) if self.statuses else 204
        return web.Response(status=status, headers={"location": "http://127.0.0.2/"})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def gateway(tmp_path: Path, services: FakeServices) -> Iterator[Gateway]:
    gateway = Gateway(
        tmp_path / "gateway", services, outgoing_networks='["127.0.0.1/32"]', outgoing_plain_http="true"
    ).start()
    yield gateway
    gateway.kill()


async def end_job(gateway: Gateway, webhook_url: str = "") -> pb.Job:
    async with grpc.aio.insecure_channel(gateway.address) as channel:
        api = Api(channel)
        request = pb.CreateJobRequest(
            video=await api.video(3), settings=pb.JobSettings(variants=1), webhook_url=webhook_url
        )
        return await api.finished((await api.stub.CreateJob(request)).job.job_id)


async def test_the_end_of_jobs_is_signed_and_sent(gateway: Gateway, receiver: Receiver) -> None:
    async with AsyncClient(gateway.address) as client:
        with pytest.raises(ApiError, match="need a secret"):
            await client.webhooks.create(receiver.url)
        secret = await client.webhooks.rotate_secret()
        created = await client.webhooks.create(f"{receiver.url}/all")
        assert await client.webhooks.list() == [created]
        job = await end_job(gateway, f"{receiver.url}/one")
        events = sorted(await receiver.until(2))
        assert [path for path, _, _ in events] == ["/all", "/one"]
        for _, headers, body in events:
            event = Webhook(secret).verify(body, headers)
            assert event["type"] == "job.succeeded"
            assert event["data"] == {"jobId": job.job_id, "state": "SUCCEEDED"}
            with pytest.raises(Exception, match="signature"):
                Webhook(secret).verify(body + " ", headers)
        assert len({headers["webhook-id"] for _, headers, _ in events}) == 2
        newer = await client.webhooks.rotate_secret()
        await client.webhooks.delete(created.webhook_id)
        assert await client.webhooks.list() == []
        await end_job(gateway, f"{receiver.url}/rotated")
        path, headers, body = (await receiver.until(3))[2]
        assert path == "/rotated"
        for each in (secret, newer):
            Webhook(each).verify(body, headers)


async def test_a_remix_tells_the_receiver_of_its_parent(gateway: Gateway, receiver: Receiver) -> None:
    async with AsyncClient(gateway.address) as client:
        await client.webhooks.rotate_secret()
        parent = await end_job(gateway, f"{receiver.url}/parent")
        await receiver.until(1)
        for url in ("", f"{receiver.url}/other"):
            remix = pb.RemixJobRequest(
                job_id=parent.job_id, settings=pb.JobSettings(variants=1), webhook_url=url
            )
            await client.wait((await client.remix_job(remix)).job_id)
        paths = [path for path, _, _ in await receiver.until(3)]
    assert sorted(paths) == ["/other", "/parent", "/parent"]


async def test_an_event_is_sent_again_with_its_id_even_after_a_crash(
    gateway: Gateway, receiver: Receiver
) -> None:
    receiver.statuses = [500, 307]
    async with AsyncClient(gateway.address) as client:
        await client.webhooks.rotate_secret()
    await end_job(gateway, receiver.url)
    await receiver.until(1)
    gateway.kill()
    gateway.start()
    first, second = (await receiver.until(2))[:2]
    assert first[1]["webhook-id"] == second[1]["webhook-id"]
    assert first[2] == second[2]


async def test_a_receiver_that_is_gone_hears_nothing_more(gateway: Gateway, receiver: Receiver) -> None:
    receiver.statuses = [410]
    async with AsyncClient(gateway.address) as client:
        await client.webhooks.rotate_secret()
        await client.webhooks.create(receiver.url)
        await end_job(gateway)
        async with asyncio.timeout(10):
            while not (await client.webhooks.list())[0].HasField("gone_time"):
                await asyncio.sleep(0.1)
        await end_job(gateway, f"{receiver.url}/marker")
        events = await receiver.until(2)
    assert [path for path, _, _ in events] == ["/", "/marker"]


async def test_deleting_a_job_deletes_its_events(gateway: Gateway, receiver: Receiver) -> None:
    receiver.statuses = [500] * 100
    async with AsyncClient(gateway.address) as client:
        await client.webhooks.rotate_secret()
        job = await end_job(gateway, f"{receiver.url}/unforgettable")
        await receiver.until(1)
        await client.delete_job(job.job_id)
    gateway.stop()
    stored = b"".join(path.read_bytes() for path in gateway.folder.glob("jobs.sqlite*"))
    assert b"unforgettable" not in stored


async def test_an_address_can_be_tested(gateway: Gateway, receiver: Receiver) -> None:
    async with AsyncClient(gateway.address) as client:
        secret = await client.webhooks.rotate_secret()
        receiver.statuses = [204, 302]
        assert [(await client.webhooks.test(receiver.url)).http_status for _ in range(2)] == [204, 302]
        _, headers, body = receiver.events[0]
        assert Webhook(secret).verify(body, headers)["type"] == "test"
        assert (await client.webhooks.test("http://localhost:1")).error
        for private in ("http://127.0.0.2/", "http://169.254.169.254/", "http://[::1]/"):
            with pytest.raises(ApiError) as caught:
                await client.webhooks.test(private)
            assert caught.value.fields == {"url": NOT_ALLOWED}
        with pytest.raises(ApiError) as caught:
            await client.webhooks.delete("nothing")
        assert caught.value.code == "NOT_FOUND"


async def test_a_job_with_an_impossible_webhook_is_refused(gateway: Gateway) -> None:
    async with AsyncClient(gateway.address) as client:
        await client.webhooks.rotate_secret()
    for url in ("ftp://example.com", "https://10.0.0.1/", "https://user@example.com/"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await end_job(gateway, url)
        assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "webhook_url" in str(caught.value.details())


def test_an_event_is_json() -> None:
    event = json.loads(event_of("test", {}))
    assert event["timestamp"].endswith("Z")
