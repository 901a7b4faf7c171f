"""What Prometheus is told of jobs."""

from pathlib import Path

import pytest

from tests.gateway.conftest import FakeServices, Gateway
from tests.prometheus import scrape
from tests.servers import free_port

pytestmark = pytest.mark.process


async def test_jobs_stages_cues_and_replicas_are_told(tmp_path: Path, services: FakeServices) -> None:
    port = free_port()
    gateway = Gateway(tmp_path, services, metrics_port=str(port)).start()
    try:
        async with gateway.api() as api:
            fresh = await scrape(port)
            video = await api.video(duration_s=300)
            await api.run(video, variants=2)
            before = await scrape(port)
            await api.run(video, variants=2, mix={"speech_to_music_lu": 20})
            await api.run(await api.video(fail="no frames"))
            services.forget()
            with services.hold("Generate"):
                await api.create(await api.video(), variants=3)
                await services.until("Generate", 3)
                now = await scrape(port)
    finally:
        gateway.stop()
    assert (fresh["etbgm_jobs", "FAILED"], fresh["etbgm_stage_media_seconds_total", "MIX"]) == (0, 0)
    assert (before["etbgm_jobs", "SUCCEEDED"], before["etbgm_cues",]) == (1, 0)
    assert before["etbgm_stage_media_seconds_total", "SEPARATE"] == 300
    assert before["etbgm_stage_media_seconds_total", "GENERATE"] == 2 * 300
    assert before["etbgm_stage_inference_seconds_total", "GENERATE"] > 0
    states = {labels[1]: value for labels, value in now.items() if labels[0] == "etbgm_jobs"}
    assert states == {"QUEUED": 0, "SUCCEEDED": 2, "RUNNING": 1, "FAILED": 1, "CANCELLED": 0}
    assert now["etbgm_cues",] == 3
    assert (now["etbgm_replicas", "riffusion"], now["etbgm_calls_to", "riffusion"]) == (1, 3)
    # What was found had not to be computed, but its stage has lasted.
    assert now["etbgm_stage_media_seconds_total", "GENERATE"] == 2 * 300
    assert now["etbgm_stage_seconds_count", "GENERATE"] == 2
    assert now["etbgm_calls_total", "OK", "/etbgm.gateway.v1.GatewayService/CreateJob"] == 4
