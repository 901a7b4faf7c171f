"""A link shows one job to people without a key, and nothing else, until it ends."""

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_client import AsyncClient
from etbgm_gateway.identity.sessions import Sessions
from etbgm_gateway.identity.shares import Shares
from etbgm_gateway.identity.types import READ, Caller
from etbgm_gateway.store.shares import MOST_SHARES, ShareStore
from etbgm_kit.errors import InvalidField
from tests.gateway.conftest import Gateway
from tests.gateway.identity.test_identity import code_of, locked, operator, tenant, upload

pytestmark = pytest.mark.process

__all__ = ["locked"]

ETBGM = Path(sys.executable).with_name("etbgm")


async def finished(client: AsyncClient, folder: Path, **labels: str) -> pb.Job:
    video = await upload(client, folder)
    metadata = {"name": "holiday.mp4", "customer": "42"}
    job = await client.create_job(video, pb.JobSettings(variants=1), labels=labels, user_metadata=metadata)
    return await client.wait(job.job_id)


async def test_a_link_shows_one_job_and_nothing_else(locked: Gateway, tmp_path: Path) -> None:
    async with tenant(locked, "alice") as alice, tenant(locked, "bob") as bob:
        job, other = [await finished(alice, tmp_path, channel="news") for _ in range(2)]
        made = await alice.shares.create(job.job_id)
        days = made.share.expire_time.ToDatetime() - made.share.create_time.ToDatetime()
        assert days == timedelta(days=7)
        assert made.path == f"/#share={made.text}&jobs/{job.job_id}"
        async with AsyncClient(locked.address, made.text) as visitor:
            seen = await visitor.get_job(job.job_id)
            assert seen.result.variants == job.result.variants
            assert dict(seen.user_metadata) == {"name": "holiday.mp4"}
            assert not seen.labels and not seen.request_id
            await visitor.download(seen.result.variants[0].video, tmp_path / "seen.mp4")
            await visitor.capabilities()
            stolen = tmp_path / "stolen"
            for call, code in (
                (visitor.get_job(other.job_id), "NOT_FOUND"),
                (visitor.download(other.video, stolen), "NOT_FOUND"),
                (visitor.list_jobs(), "PERMISSION_DENIED"),
                (visitor.queue_stats(), "PERMISSION_DENIED"),
                (visitor.remix_job(pb.RemixJobRequest(job_id=job.job_id)), "PERMISSION_DENIED"),
                (visitor.delete_job(job.job_id), "PERMISSION_DENIED"),
                (visitor.shares.list(job.job_id), "PERMISSION_DENIED"),
                (visitor.shares.create(job.job_id), "PERMISSION_DENIED"),
                (visitor.select_variant(job.job_id, 1), "PERMISSION_DENIED"),
                (bob.shares.create(job.job_id), "NOT_FOUND"),
                (bob.shares.list(job.job_id), "NOT_FOUND"),
                (bob.shares.delete(job.job_id, made.share.share_id), "NOT_FOUND"),
                (alice.shares.create(job.job_id, timedelta(seconds=1)), "INVALID_ARGUMENT"),
            ):
                assert await code_of(call) == code
            assert not stolen.exists()
        files = b"".join(path.read_bytes() for path in locked.folder.glob("*.sqlite*") if path.is_file())
        assert made.share.share_id.encode() in files
        assert made.text.encode() not in files and made.text[-43:].encode() not in files


async def test_links_end_when_they_are_deleted_and_with_their_job(locked: Gateway, tmp_path: Path) -> None:
    async with tenant(locked, "alice") as alice, tenant(locked, "alice", "jobs:read") as reader:
        job = await finished(alice, tmp_path)
        first, second = [await alice.shares.create(job.job_id) for _ in range(2)]
        assert {one.share_id for one in await reader.shares.list(job.job_id)} == {
            first.share.share_id,
            second.share.share_id,
        }
        assert await code_of(reader.shares.create(job.job_id)) == "PERMISSION_DENIED"
        await alice.shares.delete(job.job_id, first.share.share_id)
        assert [one.share_id for one in await alice.shares.list(job.job_id)] == [second.share.share_id]
        await alice.delete_job(job.job_id)
        for made in (first, second):
            async with AsyncClient(locked.address, made.text) as visitor:
                assert await code_of(visitor.get_job(job.job_id)) == "UNAUTHENTICATED"


async def test_the_command_makes_lists_and_deletes_links(locked: Gateway, tmp_path: Path) -> None:
    async with tenant(locked, "alice") as alice:
        job = await finished(alice, tmp_path)
        environment = {
            **os.environ,
            "ETBGM_API_KEY": dict(alice._metadata)["authorization"].removeprefix("Bearer "),
        }

        def share(*arguments: str) -> str:
            command = [ETBGM, "share", job.job_id, "--gateway", locked.address, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout + done.stderr

        link = await asyncio.to_thread(share, "--days", "1", "--page", "https://page.example/")
        [made] = await alice.shares.list(job.job_id)
        assert link.startswith(f"https://page.example/#share=etbgm-share_{made.share_id}_")
        assert made.share_id in await asyncio.to_thread(share, "--list")
        await asyncio.to_thread(share, "--delete", made.share_id)
        assert await alice.shares.list(job.job_id) == []


async def test_a_revoked_key_ends_its_sessions(locked: Gateway) -> None:
    from etbgm.gateway.v1 import sessions_pb2, sessions_pb2_grpc

    async with operator(locked) as admin:
        made = await admin.keys.create("carol", (READ,), "")
        async with AsyncClient(locked.address, made.text) as carol:
            stub = sessions_pb2_grpc.SessionServiceStub(carol._channel)
            ask = sessions_pb2.OpenSessionRequest()
            used, unused = [await stub.OpenSession(ask, metadata=carol._metadata) for _ in range(2)]
        async with AsyncClient(locked.address, used.text) as page:
            assert await page.list_jobs() == []
        await admin.keys.revoke(made.key.key_id)
        async with AsyncClient(locked.address, unused.text) as page:
            assert await code_of(page.list_jobs()) == "UNAUTHENTICATED"
        await asyncio.to_thread(_no_text_is_stored, locked, used.text)


def _no_text_is_stored(gateway: Gateway, text: str) -> None:
    files = b"".join(path.read_bytes() for path in gateway.folder.glob("*.sqlite*") if path.is_file())
    assert b"carol" in files and text.encode() not in files


@pytest.fixture
def database() -> sa.Engine:
    return sa.create_engine("sqlite://", poolclass=sa.StaticPool)


def test_an_expired_link_is_not_accepted_and_forgotten(database: sa.Engine) -> None:
    store = ShareStore(database)
    shares = Shares(store)
    text, row = shares.create("alice", "job", -1.0)
    assert shares.caller(text) is None and store.of("job") == []
    valid, _ = shares.create("alice", "job", 60.0)
    assert shares.caller(valid) == Caller("alice", frozenset({READ}), "share " + valid[12:24], job_id="job")
    assert shares.caller(valid[:-1] + ("a" if valid[-1] != "a" else "b")) is None
    with database.connect() as connection:
        ids = connection.execute(sa.text("SELECT share_id FROM shares")).scalars().all()
    assert row.share_id not in ids


def test_a_job_has_a_bounded_number_of_links(database: sa.Engine) -> None:
    shares = Shares(ShareStore(database))
    for _ in range(MOST_SHARES):
        shares.create("alice", "job", 60.0)
    with pytest.raises(InvalidField):
        shares.create("alice", "job", 60.0)
    shares.create("alice", "other", 60.0)


class AlwaysHolds:
    """Fake credentials that never end."""

    def caller(self, text: str) -> Caller | None:
        return None

    def holds(self, name: str, sha256: str) -> bool:
        return True


def test_a_session_ends_when_closed_and_with_its_token(database: sa.Engine) -> None:
    sessions = Sessions(database, [AlwaysHolds()])
    caller = Caller("alice", frozenset({READ}), "token of alice")
    text, expire_time_s = sessions.open(caller, "a.b.c")
    assert sessions.caller(text) == caller
    sessions.close(text)
    assert sessions.caller(text) is None
    ending = Caller("alice", frozenset({READ}), "token of alice", expire_time_s=expire_time_s - 1e9)
    assert sessions.caller(sessions.open(ending, "a.b.c")[0]) is None
