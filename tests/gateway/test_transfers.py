"""Jobs whose videos come from elsewhere and whose results go elsewhere: HTTP and S3, each a real server."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import grpc
import obstore
import pytest
from aiohttp import web
from google.protobuf.duration_pb2 import Duration
from obstore.store import S3Store

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import transfers_pb2
from tests.gateway.conftest import Api, FakeServices, Gateway, refused
from tests.gateway.outgoing.test_sessions import serving
from tests.servers import bucket_of, s3

pytestmark = pytest.mark.process

PUBLIC = {
    "outgoing_networks": '["127.0.0.1/32"]',
    "outgoing_plain_http": "true",
    "sources": '["http://127.0.0.1/", "s3://artifacts/mine/{tenant}/"]',
    "destinations": '["s3://artifacts/out/{tenant}/"]',
}


def a_video(**others: object) -> bytes:
    """A fake video, different from all before it."""
    return json.dumps({"duration_s": 10.0, "number": time.time_ns(), **others}).encode()


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """Of an S3 server with the bucket "artifacts"."""
    with s3() as environment:
        yield environment


@pytest.fixture(scope="module")
def bucket(environment: dict[str, str]) -> S3Store:
    return bucket_of(environment)


@pytest.fixture(scope="module")
def reaching(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Gateway]:
    """A gateway that may reach this machine, with its artifacts in S3."""
    folder = tmp_path_factory.mktemp("reaching")
    services = FakeServices(folder / "services", "s3://artifacts/store", environment)
    prefixes = json.dumps(["http://", "s3://artifacts/mine/{tenant}/"])
    gateway = Gateway(
        folder / "gateway", services, **(PUBLIC | {"sources": prefixes, "tenant_video_s_per_day": "3600"})
    )
    gateway.start()
    yield gateway
    gateway.stop()
    services.close()


async def source_job(api: Api, url: str, **others: object) -> pb.Job:
    request = pb.CreateJobRequest(source_url=url, settings=pb.JobSettings(variants=2), **others)
    return (await api.stub.CreateJob(request)).job


async def test_a_video_is_fetched_by_http(reaching: Gateway) -> None:
    data = a_video()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=data, content_type="video/mp4")

    async with serving(answer) as port, reaching.api() as api:
        url = f"http://127.0.0.1:{port}/holiday.mp4?signature=secret"
        queued = await source_job(api, url)
        job = await api.finished(queued.job_id)
        assert job.state == pb.STATE_SUCCEEDED, job.error
        assert await api.read(job.video) == data
        remix = pb.RemixJobRequest(job_id=job.job_id, settings=pb.JobSettings(variants=1))
        again = await api.finished((await api.stub.RemixJob(remix)).job.job_id)
    assert not queued.HasField("video")
    assert queued.source_url == job.source_url == f"http://127.0.0.1:{port}/holiday.mp4"
    assert job.video.media_type == "video/mp4"
    assert "secret" not in str(job)
    # The remix has the video that was fetched, after its server is gone.
    assert again.state == pb.STATE_SUCCEEDED and again.video == job.video and again.source_url == ""


async def test_a_video_is_read_from_a_bucket_and_results_are_written_to_one(
    reaching: Gateway, bucket: S3Store
) -> None:
    data = a_video()
    obstore.put(bucket, "mine/default/holiday.mp4", data)
    destination = transfers_pb2.Destination(
        url="s3://artifacts/out/default/42/",
        kinds=[transfers_pb2.FILE_KIND_VIDEO, transfers_pb2.FILE_KIND_REPORT],
    )
    async with reaching.api() as api:
        queued = await source_job(api, "s3://artifacts/mine/default/holiday.mp4", destination=destination)
        job = await api.finished(queued.job_id)
        assert job.state == pb.STATE_SUCCEEDED, job.error
        delivered = {file.name: file for file in job.result.files if file.delivered_url}
        there = {each["path"] for each in obstore.list(bucket, "out/default/42").collect()}
        for name, file in delivered.items():
            copy = bytes(obstore.get(bucket, f"out/default/42/{name}").bytes())
            assert copy == await api.read(file.artifact)
    assert set(delivered) == {"variant-1.mp4", "variant-2.mp4", "report.json"}
    assert {file.delivered_url for file in delivered.values()} == {f"s3://artifacts/{path}" for path in there}
    assert len(job.result.files) > len(delivered)


async def test_a_video_is_sent_and_a_result_read_by_links(reaching: Gateway, bucket: S3Store) -> None:
    data = a_video()
    async with reaching.api() as api, aiohttp.ClientSession() as session:
        asked = transfers_pb2.CreateUploadLinkRequest(media_type="video/mp4", lifetime=Duration(seconds=60))
        link = await api.stub.CreateUploadLink(asked)
        await refused(source_job(api, link.source_url), grpc.StatusCode.NOT_FOUND)  # nothing was sent yet
        async with session.put(link.url, data=data) as response:
            assert response.status == 200
        job = await api.finished((await source_job(api, link.source_url)).job_id)
        assert job.state == pb.STATE_SUCCEEDED, job.error
        wanted = transfers_pb2.CreateDownloadLinkRequest(uri=job.video.uri)
        found = await api.stub.CreateDownloadLink(wanted)
        async with session.get(found.url, headers={"Range": "bytes=1-9"}) as response:
            assert (response.status, await response.read()) == (206, data[1:10])
        await refused(source_job(api, link.source_url), grpc.StatusCode.NOT_FOUND)  # it is used up
    assert job.video.media_type == "video/mp4"
    assert obstore.list(bucket, "store/incoming").collect() == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://artifacts/mine/other/holiday.mp4", "does not permit"),
        ("s3://artifacts/mine/default/", "not a folder"),
        ("http://127.0.0.2/video.mp4", "not public"),
        ("http://169.254.169.254/latest/meta-data/", "not public"),
        ("http://user:secret@example.com/a.mp4", "no user"),
        ("ftp://example.com/a.mp4", "must begin"),
        ("upload:00", "CreateUploadLink"),
    ],
)
async def test_sources_that_are_refused_at_once(reaching: Gateway, url: str, why: str) -> None:
    async with reaching.api() as api:
        error = await refused(source_job(api, url), grpc.StatusCode.INVALID_ARGUMENT)
    assert "source_url" in str(error) and why in str(error)


async def test_a_missing_object_fails_its_job(reaching: Gateway) -> None:
    async with reaching.api() as api:
        queued = await source_job(api, "s3://artifacts/mine/default/missing.mp4")
        job = await api.finished(queued.job_id)
    assert job.state == pb.STATE_FAILED
    assert job.error.code == grpc.StatusCode.NOT_FOUND.value[0]


async def test_the_quota_counts_what_was_fetched(reaching: Gateway, bucket: S3Store) -> None:
    obstore.put(bucket, "mine/default/long.mp4", a_video(duration_s=4000.0))
    async with reaching.api() as api:
        queued = await source_job(api, "s3://artifacts/mine/default/long.mp4")
        job = await api.finished(queued.job_id)
    assert job.state == pb.STATE_FAILED
    assert "3,600 s of video a day" in job.error.message


@pytest.mark.parametrize("url", ["s3://artifacts/out/other/", "s3://artifacts/out/default/x", "file:///tmp/"])
async def test_destinations_that_are_refused(reaching: Gateway, url: str) -> None:
    async with reaching.api() as api:
        request = pb.CreateJobRequest(video=await api.video(), destination=transfers_pb2.Destination(url=url))
        error = await refused(api.stub.CreateJob(request), grpc.StatusCode.INVALID_ARGUMENT)
    assert "destination.url" in str(error)


async def test_by_default_no_source_is_permitted(api: Api) -> None:
    error = await refused(source_job(api, "https://example.com/a.mp4"), grpc.StatusCode.INVALID_ARGUMENT)
    assert "does not permit" in str(error)
    error = await refused(
        api.stub.CreateUploadLink(transfers_pb2.CreateUploadLinkRequest()),
        grpc.StatusCode.FAILED_PRECONDITION,
    )
    assert "the artifact store is a folder" in str(error)


async def test_a_killed_gateway_fetches_again(tmp_path: Path, services: FakeServices) -> None:
    data, held = a_video(), asyncio.Event()
    requests = []

    async def answer(request: web.Request) -> web.Response:
        requests.append(request)
        if len(requests) == 1:
            await held.wait()
        return web.Response(body=data)

    async with serving(answer) as port:
        settings = PUBLIC | {"sources": f'["http://127.0.0.1:{port}/"]'}
        gateway = Gateway(tmp_path, services, **settings).start()
        async with gateway.api() as api:
            queued = await source_job(api, f"http://127.0.0.1:{port}/a.mp4")
            async with asyncio.timeout(20):
                while not requests:
                    await asyncio.sleep(0.02)
        gateway.kill()
        held.set()
        gateway.start()
        async with gateway.api() as api:
            job = await api.finished(queued.job_id)
        gateway.stop()
    assert job.state == pb.STATE_SUCCEEDED
    assert len(requests) == 2


async def test_what_was_sent_and_not_used_is_erased(tmp_path: Path, environment: dict[str, str]) -> None:
    services = FakeServices(tmp_path / "services", "s3://artifacts/unused", environment)
    gateway = Gateway(tmp_path / "gateway", services, upload_keep_s="1").start()
    try:
        async with gateway.api() as api, aiohttp.ClientSession() as session:
            link = await api.stub.CreateUploadLink(transfers_pb2.CreateUploadLinkRequest())
            async with session.put(link.url, data=b"video") as response:
                assert response.status == 200
            async with asyncio.timeout(20):
                while True:
                    try:
                        await api.stub.CreateJob(
                            pb.CreateJobRequest(source_url=link.source_url, validate_only=True)
                        )
                    except grpc.aio.AioRpcError as error:
                        assert error.code() == grpc.StatusCode.NOT_FOUND
                        break
                    await asyncio.sleep(0.2)
    finally:
        gateway.stop()
        services.close()
