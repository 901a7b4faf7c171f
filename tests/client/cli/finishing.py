"""The `etbgm` command in this process, and a fake gateway whose jobs end at once.

A job delivers a small result, or fails if the video says "broken".
"""

from collections.abc import AsyncIterator
from pathlib import Path

from click.testing import Result
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from typer.testing import CliRunner

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import gateway_pb2_grpc
from etbgm.media.v1 import media_pb2
from etbgm_cli.app import app
from etbgm_gateway.results.files import files_of
from tests.client.served import served

BLOCK_BYTES = 1 << 20


def artifact(uri: str) -> media_pb2.Artifact:
    return media_pb2.Artifact(uri=uri)


def result(variants: int) -> pb.JobResult:
    made = pb.JobResult(container="mp4", report=artifact("report"), speech=artifact("speech"))
    for number in range(1, variants + 1):
        made.variants.add(number=number, video=artifact(f"video {number}"), music=artifact(f"music {number}"))
        made.variants[-1].stems.add(name="lead", sound=artifact(f"lead {number}"))
    made.files.extend(files_of(made))
    return made


class FinishingGateway(gateway_pb2_grpc.GatewayServiceServicer):
    """Its results have as many variants as asked for (default: 4). Keeps the bytes of all uploads."""

    def __init__(self, blocks: int = 0) -> None:
        """Each file of a result is its URI, and `blocks` megabytes."""
        self.uploads: list[bytes] = []
        self.jobs: dict[str, pb.Job] = {}
        self._blocks = blocks

    async def UploadVideo(
        self, requests: AsyncIterator[pb.UploadVideoRequest], context: object
    ) -> pb.UploadVideoResponse:
        self.uploads.append(b"".join([request.data async for request in requests]))
        return pb.UploadVideoResponse(video=artifact(self.uploads[-1].decode()))

    async def CreateJob(self, request: pb.CreateJobRequest, context: object) -> pb.CreateJobResponse:
        job = pb.Job(job_id=f"job-{len(self.jobs) + 1}", state=pb.STATE_SUCCEEDED)
        if request.video.uri == "broken":
            job.state = pb.STATE_FAILED
            job.error.CopyFrom(Status(code=code_pb2.INVALID_ARGUMENT, message="video: has no [/b] picture"))
        else:
            job.result.CopyFrom(result(request.settings.variants or 4))
        self.jobs[job.job_id] = job
        return pb.CreateJobResponse(job=job)

    async def WatchJob(
        self, request: pb.WatchJobRequest, context: object
    ) -> AsyncIterator[pb.WatchJobResponse]:
        yield pb.WatchJobResponse(job=self.jobs[request.job_id])

    async def GetJob(self, request: pb.GetJobRequest, context: object) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=self.jobs[request.job_id])

    async def DownloadArtifact(
        self, request: pb.DownloadArtifactRequest, context: object
    ) -> AsyncIterator[pb.DownloadArtifactResponse]:
        yield pb.DownloadArtifactResponse(data=request.uri.encode())
        for _ in range(self._blocks):
            yield pb.DownloadArtifactResponse(data=bytes(BLOCK_BYTES))


def etbgm(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def run(*arguments: object, gateway: FinishingGateway | None = None) -> Result:
    with served(gateway or FinishingGateway()) as address:
        return etbgm("run", *arguments, "--gateway", address)


def refused(*arguments: object) -> str:
    """What `etbgm run` says when it refuses its input without asking the gateway, which does not exist."""
    result = etbgm("run", *arguments, "--gateway", "127.0.0.1:1")
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    return line


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
