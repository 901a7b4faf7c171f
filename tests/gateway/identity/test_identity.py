"""Keys and tenants, over real calls."""

import asyncio
import json
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_client import ApiError, AsyncClient
from etbgm_gateway.identity.throttle import MOST_FAILURES
from tests.gateway.conftest import FakeServices, Gateway

pytestmark = pytest.mark.process


@pytest.fixture
def locked(tmp_path: Path, services: FakeServices) -> Iterator[Gateway]:
    """A gateway with a key file."""
    folder = tmp_path / "gateway"
    gateway = Gateway(folder, services, key_file=str(folder / "key")).start()
    yield gateway
    gateway.kill()


def operator(gateway: Gateway) -> AsyncClient:
    return AsyncClient(gateway.address, (gateway.folder / "key").read_text().strip())


@asynccontextmanager
async def tenant(gateway: Gateway, name: str, *scopes: str) -> AsyncIterator[AsyncClient]:
    async with operator(gateway) as admin:
        created = await admin.keys.create(name, scopes, "of a test")
    async with AsyncClient(gateway.address, created.text) as client:
        yield client


async def code_of(call: object) -> str:
    with pytest.raises(ApiError) as caught:
        await call  # type: ignore[misc]
    return caught.value.code


async def upload(client: AsyncClient, folder: Path, text: str = "") -> media_pb2.Artifact:
    path = folder / f"{time.time_ns()}"
    path.write_text(text or json.dumps({"duration_s": 5, "number": path.name}))
    return await client.upload(path)


async def test_callers_need_a_key(locked: Gateway) -> None:
    key = locked.folder / "key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    for wrong in ("", "wrong", "etbgm_aaaaaaaaaaaa_" + "a" * 43, key.read_text().strip()[:-1]):
        async with AsyncClient(locked.address, wrong) as client:
            assert await code_of(client.list_jobs()) == "UNAUTHENTICATED"
    async with operator(locked) as client:
        assert await client.list_jobs() == []


async def test_the_key_file_outlives_a_restart(locked: Gateway) -> None:
    before = (locked.folder / "key").read_text()
    locked.kill()
    locked.start()
    assert (locked.folder / "key").read_text() == before
    async with operator(locked) as client:
        await client.list_jobs()


async def test_keys_are_created_listed_and_revoked(locked: Gateway) -> None:
    async with operator(locked) as admin:
        created = await admin.keys.create("alice", ("jobs:read",), "for a test")
        (listed,) = await admin.keys.list()
        assert (listed.tenant, list(listed.scopes), listed.note) == ("alice", ["jobs:read"], "for a test")
        assert created.text.startswith(f"etbgm_{listed.key_id}_")
        stored = b"".join(path.read_bytes() for path in locked.folder.glob("jobs.sqlite*"))
        assert listed.key_id.encode() in stored
        assert created.text.removeprefix(f"etbgm_{listed.key_id}_").encode() not in stored
        async with AsyncClient(locked.address, created.text) as client:
            assert await client.list_jobs() == []
            assert await code_of(client.create_job(media_pb2.Artifact())) == "PERMISSION_DENIED"
            assert await code_of(client.keys.list()) == "PERMISSION_DENIED"
            assert (await admin.keys.revoke(listed.key_id)).HasField("revoke_time")
            async with asyncio.timeout(10):
                while True:
                    try:
                        await client.list_jobs()
                    except ApiError as error:
                        assert error.code == "UNAUTHENTICATED"
                        break
                    await asyncio.sleep(0.2)
        assert await code_of(admin.keys.revoke("none")) == "NOT_FOUND"
        for bad in (("a b", (), ""), ("a", ("all",), ""), ("a", (), "x" * 201), ("a", (), "\0")):
            assert await code_of(admin.keys.create(*bad)) == "INVALID_ARGUMENT"


async def test_an_expired_key_is_not_accepted(locked: Gateway) -> None:
    async with operator(locked) as admin:
        now = datetime.now(UTC)
        created = await admin.keys.create("alice", (), "for a moment", now + timedelta(seconds=2))
        lasting = await admin.keys.create("alice", (), "for long", now + timedelta(days=30))
        async with AsyncClient(locked.address, created.text) as client:
            assert await client.list_jobs() == []
            async with asyncio.timeout(10):
                while True:
                    try:
                        await client.list_jobs()
                    except ApiError as error:
                        assert error.code == "UNAUTHENTICATED"
                        break
                    await asyncio.sleep(0.2)
        async with AsyncClient(locked.address, lasting.text) as client:
            assert await client.list_jobs() == []
        with pytest.raises(ApiError) as caught:
            await admin.keys.create("alice", (), "", now - timedelta(seconds=1))
        assert (caught.value.code, "expire_time" in str(caught.value)) == ("INVALID_ARGUMENT", True)


async def test_guessing_is_slowed_down(locked: Gateway) -> None:
    async with AsyncClient(locked.address, "wrong") as client:
        for _ in range(MOST_FAILURES):
            assert await code_of(client.list_jobs()) == "UNAUTHENTICATED"
        with pytest.raises(ApiError) as caught:
            await client.list_jobs()
    assert (caught.value.code, caught.value.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_ATTEMPTS")
    assert caught.value.retry_after_s


async def test_a_tenant_sees_only_its_own(locked: Gateway, tmp_path: Path) -> None:
    async with tenant(locked, "alice") as alice, tenant(locked, "bob") as bob:
        video = await upload(alice, tmp_path)
        job = await alice.create_job(video, pb.JobSettings(variants=1), request_id="same-request")
        result = (await alice.wait(job.job_id)).result
        theirs = result.variants[0].video
        await alice.download(theirs, tmp_path / "mine.mp4")
        assert await bob.list_jobs() == []
        for call in (
            bob.get_job(job.job_id),
            bob.cancel_job(job.job_id),
            bob.wait(job.job_id),
            bob.create_job(video),
            bob.download(theirs, tmp_path / "theirs.mp4"),
            bob.download(video, tmp_path / "theirs.mp4"),
        ):
            assert await code_of(call) == "NOT_FOUND"
        async with operator(locked) as other:
            assert await code_of(other.download(theirs, tmp_path / "theirs.mp4")) == "NOT_FOUND"
        own = await bob.create_job(await upload(bob, tmp_path), request_id="same-request")
        assert own.job_id != job.job_id
        assert [each.job_id for each in await alice.list_jobs()] == [job.job_id]


async def test_found_work_belongs_to_whoever_asked_for_it(locked: Gateway, tmp_path: Path) -> None:
    text = json.dumps({"duration_s": 5, "number": time.time_ns()})
    results = []
    for name in ("alice", "bob"):
        async with tenant(locked, name) as client:
            video = await upload(client, tmp_path, text)
            job = await client.create_job(video, pb.JobSettings(variants=1))
            result = (await client.wait(job.job_id)).result
            await client.fetch(result, tmp_path / name)
            results.append(result)
    assert results[0].variants[0].video == results[1].variants[0].video
    names = [{path.name for path in (tmp_path / name).iterdir()} for name in ("alice", "bob")]
    assert names[0] == names[1]
