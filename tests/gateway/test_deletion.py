"""Deleting a job leaves nothing of it, and nothing that another job needs is deleted."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.api.test_api import refusal
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process

SOON_S = 30.0


def everything(folder: Path) -> bytes:
    """All bytes below `folder`."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def delete(api: Api, job_id: str) -> None:
    await api.stub.DeleteJob(pb.DeleteJobRequest(job_id=job_id))


async def gone(store: Path, sha256: str) -> None:
    """Waits until the content is erased."""
    async with asyncio.timeout(SOON_S):
        while list(store.rglob(f"*{sha256}*")):
            await asyncio.sleep(0.2)


class Place:
    """A gateway with a store of its own."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.store, self.folder = folder / "store", folder / "gateway"
        self.services = FakeServices(folder / "services", f"file://{self.store}", {})
        self.gateway = Gateway(self.folder, self.services, **settings).start()

    def close(self) -> None:
        self.gateway.kill()
        self.services.close()


async def test_a_deleted_job_leaves_no_byte(tmp_path: Path) -> None:
    place = Place(tmp_path)
    mark = f"unmistakable-{time.time_ns()}"
    try:
        async with place.gateway.api() as api:
            video = await api.upload(json.dumps({"duration_s": 5, "mark": mark}).encode())
            job = await api.run(video, variants=2, stems=True, style="calm piano")
            assert job.state == pb.STATE_SUCCEEDED
            assert mark.encode() in everything(place.store)
            await delete(api, job.job_id)
            assert (
                await refusal(api.stub.GetJob(pb.GetJobRequest(job_id=job.job_id)))
            ).status_code == "NOT_FOUND"
            async with asyncio.timeout(SOON_S):
                while [path for path in place.store.rglob("*") if path.is_file()]:
                    await asyncio.sleep(0.2)
            assert (await refusal(delete(api, job.job_id))).status_code == "NOT_FOUND"
    finally:
        place.gateway.stop()
        place.services.close()
    database = everything(place.folder)
    for trace in (video.sha256, job.job_id, job.result.variants[0].video.sha256):
        assert trace.encode() not in database


async def test_what_another_job_holds_or_finds_stays(tmp_path: Path) -> None:
    place = Place(tmp_path)
    try:
        async with place.gateway.api() as api:
            video = await api.video()
            first = await api.run(video, variants=1)
            with place.services.hold("Mix"):
                # It has found all but the mix, which it computes when the first job is gone.
                other = await api.create(video, variants=1, mix={"speech_to_music_lu": 20})
                await place.services.until("Mix", 2)
                await delete(api, first.job_id)
                await asyncio.sleep(5)
            second = await api.finished(other.job_id)
            assert second.state == pb.STATE_SUCCEEDED
            for artifact in (
                second.result.variants[0].video,
                second.result.speech,
                second.result.timeline_json,
            ):
                assert await api.read(artifact)
            await gone(place.store, first.result.report.sha256)
            assert await api.read(second.result.report)
            again = await api.run(video, variants=1)
            assert again.state == pb.STATE_SUCCEEDED
            assert await api.read(again.result.variants[0].video)
    finally:
        place.close()


async def test_a_queued_job_keeps_its_video(tmp_path: Path) -> None:
    place = Place(tmp_path, concurrent_jobs="1")
    try:
        async with place.gateway.api() as api:
            video = await api.video()
            first = await api.run(video, variants=1)
            with place.services.hold("Extract"):
                other = await api.create(await api.video(), variants=1)
                await place.services.until("Extract", 2)
                queued = await api.create(video, variants=1)
                await delete(api, first.job_id)
                await asyncio.sleep(3)
            await api.finished(other.job_id)
            assert (await api.finished(queued.job_id)).state == pb.STATE_SUCCEEDED
    finally:
        place.close()


async def test_a_running_job_is_not_deleted(api: Api, services: FakeServices) -> None:
    with services.hold("Extract"):
        job = await api.create(await api.video(), variants=1)
        assert (await refusal(delete(api, job.job_id))).status_code == "FAILED_PRECONDITION"


async def test_finished_jobs_and_unused_uploads_expire(tmp_path: Path) -> None:
    place = Place(tmp_path, job_keep_s="3", upload_artifact_keep_s="3")
    try:
        async with place.gateway.api() as api:
            unused = await api.video()
            job = await api.run(await api.video(), variants=1)
            kept_s = job.expire_time.ToNanoseconds() - job.end_time.ToNanoseconds()
            assert kept_s == 3e9
            await gone(place.store, unused.sha256)
            await gone(place.store, job.video.sha256)
            request = pb.GetJobRequest(job_id=job.job_id)
            assert (await refusal(api.stub.GetJob(request))).status_code == "NOT_FOUND"
    finally:
        place.close()
