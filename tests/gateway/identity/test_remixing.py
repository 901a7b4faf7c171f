"""Remixes and what they hold stay with their tenant."""

from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_client import ApiError
from etbgm_kit.converters import span_to_pb
from etbgm_kit.types import Span
from tests.gateway.conftest import FakeServices, Gateway
from tests.gateway.identity.test_identity import tenant, upload

pytestmark = pytest.mark.process


async def test_a_tenant_remixes_only_its_own_jobs(tmp_path: Path, services: FakeServices) -> None:
    folder = tmp_path / "gateway"
    gateway = Gateway(folder, services, key_file=str(folder / "key")).start()
    words = media_pb2.Segment(span=span_to_pb(Span(1, 3)), text="corrected")
    try:
        async with (
            tenant(gateway, "alice") as alice,
            tenant(gateway, "bob") as bob,
            tenant(gateway, "alice", "jobs:read") as reader,
        ):
            video = await upload(alice, tmp_path)
            parent = await alice.create_job(video, pb.JobSettings(variants=1), labels={"a": "b"})
            await alice.wait(parent.job_id)
            remix = pb.RemixJobRequest(job_id=parent.job_id, transcript={"segments": [words]})
            child = await alice.wait((await alice.remix_job(remix)).job_id)
            assert child.parent_job_id == parent.job_id
            preview = child.result.variants[0].preview
            await alice.download(preview, tmp_path / "preview.m4a")
            for call, code in (
                (bob.remix_job(remix), "NOT_FOUND"),
                (bob.select_variant(child.job_id, 1), "NOT_FOUND"),
                (bob.download(preview, tmp_path / "stolen.m4a"), "NOT_FOUND"),
                (bob.download(child.settings.captions, tmp_path / "stolen.vtt"), "NOT_FOUND"),
                (reader.remix_job(remix), "PERMISSION_DENIED"),
                (reader.select_variant(child.job_id, 1), "PERMISSION_DENIED"),
            ):
                with pytest.raises(ApiError) as caught:
                    await call
                assert caught.value.code == code
            assert await bob.list_jobs(matching="labels.a = b") == []
            assert (await bob.queue_stats()).queued_jobs == 0
            assert (await reader.capabilities()).engines
    finally:
        gateway.kill()
