"""The gateway tells what it and its services can do."""

from pathlib import Path

import pytest

from etbgm.gateway.v1 import capabilities_pb2 as pb
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process


async def test_services_and_limits_are_told(api: Api) -> None:
    told = await api.stub.GetCapabilities(pb.GetCapabilitiesRequest())
    assert [(one.service, one.engine.name) for one in told.engines] == [
        ("separator", "deepfilternet"),
        ("stt", "faster-whisper"),
        ("sentiment", "fake classifier"),
        ("riffusion", "composer"),
    ]
    assert [style.name for style in told.styles] == ["ambient"]
    assert (list(told.speech_languages), list(told.emotion_languages)) == (["en", "ko"], ["en"])
    assert told.commercial_use
    assert (told.limits.upload_bytes, told.limits.variants) == (4 << 20, 8)
    assert not told.quota.HasField("jobs_per_minute")
    assert "mp4" in told.containers


async def test_a_service_that_is_away_is_named(tmp_path: Path, services: FakeServices) -> None:
    nobody = f"unix:{tmp_path}/nobody.sock"
    gateway = Gateway(tmp_path, services, stt_address=nobody, tenant_jobs_per_minute="7").start()
    try:
        async with gateway.api() as api:
            told = await api.stub.GetCapabilities(pb.GetCapabilitiesRequest())
    finally:
        gateway.kill()
    assert list(told.unavailable_services) == ["stt"]
    assert not told.HasField("commercial_use")
    assert [one.service for one in told.engines] == ["separator", "sentiment", "riffusion"]
    assert told.quota.jobs_per_minute == 7
