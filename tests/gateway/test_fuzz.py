"""The gateway answers whatever is asked of it with the statuses that the contract declares."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from etbgm.gateway.v1 import (
    capabilities_pb2,
    keys_pb2,
    queue_pb2,
    sessions_pb2,
    shares_pb2,
    transfers_pb2,
    webhooks_pb2,
)
from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.gateway.v1.gateway_pb2_grpc import GatewayServiceStub
from etbgm.media.v1 import media_pb2
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_to_pb, seconds_to_pb
from externalscaler import externalscaler_pb2
from tests.contract.fuzzing import Target, fuzz

from .conftest import FakeServices, Gateway

pytestmark = pytest.mark.process

METHODS = [
    method
    for file in (pb, keys_pb2, sessions_pb2, shares_pb2, webhooks_pb2, externalscaler_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
    if method.name != "StreamIsActive"  # has no end; it reads its request as IsActive does
]
SPAN = media_pb2.Span(start=Duration(), end=seconds_to_pb(1))
EMOTION = media_pb2.EmotionSpan(span=SPAN, emotion=media_pb2.EMOTION_JOY, probability=0.9)
CUT = media_pb2.Cut(time=Duration(nanos=500_000_000), strength=0.5, origin=media_pb2.CUT_ORIGIN_USER)
TIMELINE = media_pb2.EmotionTimeline(duration=SPAN.end, spans=[EMOTION])


class WithKey(grpc.aio.UnaryUnaryClientInterceptor):
    """Sends a key with each call."""

    def __init__(self, key: str) -> None:
        self._metadata = grpc.aio.Metadata(("authorization", f"Bearer {key}"))

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """See grpc."""
        return await continuation(details._replace(metadata=self._metadata), request)


@asynccontextmanager
async def channel_to(address: str, key: str = "") -> AsyncIterator[grpc.aio.Channel]:
    interceptors = [WithKey(key)] if key else []
    async with grpc.aio.insecure_channel(address, interceptors=interceptors) as channel:
        yield channel


class Targets(NamedTuple):
    """The gateway's listeners."""

    gateway: Target
    scaler: Target
    locked: Target
    """Another gateway, which requires keys."""

    def of(self, method: MethodDescriptor) -> Target:
        """The one that has the method."""
        service = method.containing_service.name
        locked = dict.fromkeys(("KeyService", "SessionService", "ShareService"), self.locked)
        return {"ExternalScaler": self.scaler, **locked}.get(service, self.gateway)


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory, shared_services: FakeServices) -> Iterator[Targets]:
    folder = tmp_path_factory.mktemp("locked")
    gateway = Gateway(tmp_path_factory.mktemp("fuzzed"), shared_services).start()
    locked = Gateway(folder, shared_services, key_file=str(folder / "key")).start()
    key = (folder / "key").read_text().strip()
    channels = (
        channel_to(gateway.address),
        channel_to(gateway.scaler_address),
        channel_to(locked.address, key),
    )
    targets = Targets(*map(Target, channels))
    yield targets
    for target in targets:
        target.close()
    assert (gateway.stop(), locked.stop()) == (0, 0)


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory, shared_services: FakeServices) -> list[Message]:
    """A fake video, captions and an empty file."""
    store = ArtifactStore(shared_services.store_url, Scratch(tmp_path_factory.mktemp("artifacts")))
    video = json.dumps({"duration_s": 1}).encode()
    contents = [(video, "video/mp4"), (b"WEBVTT\n", "text/vtt"), (b"", "application/octet-stream")]
    return [artifact_to_pb(store.put_bytes(data, media_type)) for data, media_type in contents]


@pytest.fixture(scope="module")
def samples(targets: Targets, artifacts: list[Message]) -> list[Message]:
    """A request of each kind that is met."""
    create = pb.CreateJobRequest(video=artifacts[0], settings=pb.JobSettings(variants=1, timeline=TIMELINE))

    async def job_id_of(request: pb.CreateJobRequest) -> str:
        return str((await GatewayServiceStub(target.channel).CreateJob(request)).job.job_id)

    target = targets.gateway
    job_id = target.loop.run(job_id_of(create))
    opening = pb.UploadOpening(upload_id="fuzzed-upload", size_bytes=10)
    scaled = externalscaler_pb2.ScaledObjectRef(
        name="riffusion", scalerMetadata={"service": "riffusion", "cuesPerReplica": "2"}
    )
    return [
        create,
        pb.UploadVideoRequest(opening=opening),
        pb.UploadVideoRequest(data=b"01234"),
        *(
            kind(job_id=job_id)
            for kind in (pb.GetJobRequest, pb.WatchJobRequest, pb.CancelJobRequest, pb.DeleteJobRequest)
        ),
        pb.GetUploadRequest(upload_id="fuzzed-upload"),
        pb.ListJobsRequest(page_size=2, filter="state = QUEUED OR labels.a = b*", order_by="priority desc"),
        pb.RemixJobRequest(job_id=job_id, settings=pb.JobSettings(style="calm piano"), spans=[EMOTION]),
        pb.RemixJobRequest(job_id=job_id, settings=pb.JobSettings(cuts={"cuts": [CUT]})),
        pb.SelectVariantRequest(job_id=job_id, number=1),
        queue_pb2.GetQueueStatsRequest(),
        capabilities_pb2.GetCapabilitiesRequest(),
        pb.DownloadArtifactRequest(uri=artifacts[0].uri),
        transfers_pb2.CreateUploadLinkRequest(media_type="video/mp4"),
        transfers_pb2.CreateDownloadLinkRequest(uri=artifacts[0].uri),
        webhooks_pb2.RotateWebhookSecretRequest(),
        *(
            kind(url="https://10.0.0.1/hook")
            for kind in (webhooks_pb2.CreateWebhookRequest, webhooks_pb2.TestWebhookRequest)
        ),
        webhooks_pb2.ListWebhooksRequest(),
        webhooks_pb2.DeleteWebhookRequest(webhook_id="fuzzed"),
        keys_pb2.CreateKeyRequest(tenant="fuzzed", scopes=["jobs:read"], note="a note"),
        keys_pb2.ListKeysRequest(),
        keys_pb2.RevokeKeyRequest(key_id="none"),
        sessions_pb2.OpenSessionRequest(),
        sessions_pb2.CloseSessionRequest(),
        shares_pb2.CreateShareRequest(job_id=job_id, lifetime=seconds_to_pb(60)),
        shares_pb2.ListSharesRequest(job_id=job_id),
        shares_pb2.DeleteShareRequest(job_id=job_id, share_id="none"),
        scaled,
        externalscaler_pb2.GetMetricsRequest(scaledObjectRef=scaled),
    ]


@pytest.mark.parametrize("method", [pytest.param(method, id=method.name) for method in METHODS])
def test_only_declared_statuses_come_back(
    method: MethodDescriptor, targets: Targets, artifacts: list[Message], samples: list[Message]
) -> None:
    usable = [sample for sample in samples if sample.DESCRIPTOR.name == method.input_type.name]
    parts = {
        "etbgm.media.v1.Artifact": artifacts,
        "etbgm.media.v1.EmotionTimeline": [TIMELINE],
        "etbgm.media.v1.EmotionSpan": [EMOTION],
        "etbgm.media.v1.Cut": [CUT],
        "google.protobuf.Duration": [SPAN.end],
    }
    assert usable
    fuzz(targets.of(method), method, usable, parts, calls=100)
    assert targets.gateway.is_healthy() and targets.locked.is_healthy()
