"""The example of a platform's backend does what it says, against a real gateway with fake engines."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from etbgm_client import Client
from tests.gateway.conftest import FakeServices, Gateway
from tests.servers import free_port

pytestmark = pytest.mark.process

PROGRAM = Path(__file__).parents[2] / "examples" / "platform_backend" / "backend.py"


@pytest.fixture
def backend(tmp_path: Path, services: FakeServices) -> Iterator[httpx2.Client]:
    """A client of the backend."""
    gateway = Gateway(
        tmp_path / "gateway", services, outgoing_networks='["127.0.0.1/32"]', outgoing_plain_http="true"
    ).start()
    with Client(gateway.address) as client:
        secret = client.rotate_webhook_secret()
    port = str(free_port())
    command = [sys.executable, PROGRAM, tmp_path / "results", port, gateway.address]
    with subprocess.Popen(command, env={**os.environ, "ETBGM_WEBHOOK_SECRET": secret}) as process:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            _until(lambda: _answers(client))
            yield client
        process.terminate()
    gateway.kill()


def _answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/videos/nothing").status_code == 404
    except httpx2.TransportError:
        return False


def _until(condition: object) -> None:
    ends_at = time.monotonic() + 30
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < ends_at
        time.sleep(0.1)


def test_a_video_comes_back_by_webhook(backend: httpx2.Client, tmp_path: Path) -> None:
    video = json.dumps({"duration_s": 4, "number": str(tmp_path)}).encode()
    answer = backend.post("/videos", content=video)
    assert answer.status_code == 202
    url = f"/videos/{answer.json()['id']}"
    _until(lambda: backend.get(url).status_code == 200)
    assert {"variant-1.mp4", "report.json"} <= set(backend.get(url).json())


def test_events_without_a_signature_are_refused(backend: httpx2.Client) -> None:
    event = {"type": "job.succeeded", "data": {"jobId": "../../etc"}}
    assert backend.post("/etbgm", json=event).status_code == 401
