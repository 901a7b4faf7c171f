"""`etbgm run` is interrupted while it writes the result."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.client.cli.command import COMMAND
from tests.client.cli.finishing import FinishingGateway, files, run
from tests.client.served import served

pytestmark = pytest.mark.process


class StallingGateway(FinishingGateway):
    """Sends the first block of a file, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self.stalls = threading.Event()

    async def DownloadArtifact(
        self, request: pb.DownloadArtifactRequest, context: object
    ) -> AsyncIterator[pb.DownloadArtifactResponse]:
        async for response in super().DownloadArtifact(request, context):
            yield response
        if request.uri == "report":
            self.stalls.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("has_earlier_result", [True, False])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_all_as_it_was(
    video: Path, number: signal.Signals, status: int, has_earlier_result: bool
) -> None:
    if has_earlier_result:
        assert run(video, "--variants", "1").exit_code == 0
    before = files(video.parent)
    gateway = StallingGateway()
    with served(gateway) as address:
        command = [sys.executable, "-c", COMMAND, "run", str(video), "--gateway", address]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert gateway.stalls.wait(60)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (status, "cancelled\n")
    assert files(video.parent) == before
    assert not list(video.parent.glob("etbgm-scratch-*"))
