"""The blocking client does what the asynchronous one does."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1 import gateway_pb2_grpc, transfers_pb2
from etbgm.media.v1 import media_pb2
from etbgm_client import ApiError, Client
from tests.client.served import served


class FakeGateway(gateway_pb2_grpc.GatewayServiceServicer):
    """Keeps one upload; its one job runs, then succeeds."""

    uploaded = b""

    async def UploadVideo(
        self, requests: AsyncIterator[pb.UploadVideoRequest], context: object
    ) -> pb.UploadVideoResponse:
        self.uploaded = b"".join([request.data async for request in requests])
        return pb.UploadVideoResponse(video=media_pb2.Artifact(uri="store/video", size_bytes=3))

    async def CreateJob(self, request: pb.CreateJobRequest, context: object) -> pb.CreateJobResponse:
        return pb.CreateJobResponse(job=pb.Job(job_id=f"{request.video.uri}/{request.settings.variants}"))

    async def WatchJob(
        self, request: pb.WatchJobRequest, context: object
    ) -> AsyncIterator[pb.WatchJobResponse]:
        for state in (pb.STATE_RUNNING, pb.STATE_SUCCEEDED):
            yield pb.WatchJobResponse(job=pb.Job(job_id=request.job_id, state=state))

    async def DownloadArtifact(
        self, request: pb.DownloadArtifactRequest, context: object
    ) -> AsyncIterator[pb.DownloadArtifactResponse]:
        yield pb.DownloadArtifactResponse(data=request.uri.encode())

    async def GetJob(
        self, request: pb.GetJobRequest, context: "grpc.aio.ServicerContext[object, object]"
    ) -> pb.GetJobResponse:
        status = Status(code=code_pb2.INVALID_ARGUMENT, message="job_id: is empty")
        status.details.add().Pack(ErrorInfo(reason="INVALID_FIELD", domain="etbgm", metadata={"a": "b"}))
        violation = BadRequest.FieldViolation(field="job_id", description="is empty")
        status.details.add().Pack(BadRequest(field_violations=[violation]))
        await context.abort_with_status(rpc_status.to_status(status))
        raise AssertionError


@pytest.fixture
def client() -> Iterator[Client]:
    with served(FakeGateway()) as address, Client(address) as client:
        yield client


def test_a_video_is_uploaded_watched_and_fetched(client: Client, tmp_path: Path) -> None:
    (tmp_path / "in.mp4").write_bytes(b"abc")
    job = client.create_job(client.upload(tmp_path / "in.mp4"), pb.JobSettings(variants=2))
    assert job.job_id == "store/video/2"
    states = [update.state for update in client.watch(job.job_id)]
    assert states == [pb.STATE_RUNNING, pb.STATE_SUCCEEDED]
    assert client.wait(job.job_id).state == pb.STATE_SUCCEEDED
    report = transfers_pb2.File(name="report.json", artifact=media_pb2.Artifact(uri="store/report"))
    result = pb.JobResult(files=[report])
    client.fetch(result, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.json"]
    assert (tmp_path / "out/report.json").read_bytes() == b"store/report"


def test_a_watch_may_be_left_at_any_time(client: Client) -> None:
    updates = client.watch("one")
    assert next(updates).state == pb.STATE_RUNNING
    updates.close()
    assert client.wait("one").state == pb.STATE_SUCCEEDED


def test_a_refusal_tells_code_reason_and_fields(client: Client) -> None:
    with pytest.raises(ApiError, match="job_id: is empty") as caught:
        client.get_job("")
    error = caught.value
    assert (error.code, error.reason, error.metadata) == ("INVALID_ARGUMENT", "INVALID_FIELD", {"a": "b"})
    assert error.fields == {"job_id": "is empty"}
    assert error.retry_after_s is None
