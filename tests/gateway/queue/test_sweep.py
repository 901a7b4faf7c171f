"""What nobody holds is erased from the store; what somebody holds stays."""

import asyncio
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.test_deletion import Place, delete, gone

pytestmark = pytest.mark.process


async def test_what_a_cancelled_call_has_written_is_erased(tmp_path: Path) -> None:
    place = Place(tmp_path, unheld_keep_s="3")
    try:
        async with place.gateway.api() as api:
            kept = await api.run(await api.video(), variants=1)
            with place.services.hold("Mix"):
                job = await api.create(await api.video(), variants=1)
                await place.services.until("Mix", 2)
                await api.stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))
                await place.services.until("Mix cancelled")
            await delete(api, job.job_id)
            unheld = place.store / "artifacts" / "ab" / ("ab" * 32)
            unheld.parent.mkdir(exist_ok=True)
            unheld.write_bytes(b"by a call that was cancelled")
            await gone(place.store, unheld.name)
            await gone(place.store, job.video.sha256)
            await asyncio.sleep(3)
            assert await api.read(kept.result.variants[0].video)
            again = await api.run(kept.video, variants=1)
            assert all(stage.found for stage in again.stages)
    finally:
        place.close()
