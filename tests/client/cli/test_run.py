"""`etbgm run` with a gateway: options reach the job's settings."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import gateway_pb2_grpc
from etbgm.media.v1 import media_pb2
from etbgm_cli.app import app
from tests.client.served import served


class FakeGateway(gateway_pb2_grpc.GatewayServiceServicer):
    """Keeps the settings of the last job."""

    settings = pb.JobSettings()

    async def UploadVideo(
        self, requests: AsyncIterator[pb.UploadVideoRequest], context: object
    ) -> pb.UploadVideoResponse:
        size = sum([len(request.data) async for request in requests])
        return pb.UploadVideoResponse(video=media_pb2.Artifact(uri="store/video", size_bytes=size))

    async def CreateJob(self, request: pb.CreateJobRequest, context: object) -> pb.CreateJobResponse:
        self.settings = request.settings
        return pb.CreateJobResponse(job=pb.Job(job_id="one"))


@pytest.mark.parametrize(("options", "ignored"), [([], False), (["--no-voice"], True)])
def test_the_voice_can_be_ignored(tmp_path: Path, options: list[str], ignored: bool) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(b"film")
    gateway = FakeGateway()
    with served(gateway) as address:
        arguments = ["run", str(video), "--gateway", address, "--detach", *options]
        result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, gateway.settings.ignore_voice) == (0, ignored), result.output
