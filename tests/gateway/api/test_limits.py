"""One caller cannot hurt another by what it sends: size, form and number of requests."""

import asyncio
import json
import time
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_kit.converters import seconds_to_pb
from etbgm_kit.serving.status import error_from_rpc
from tests.gateway.api.test_api import field_of, refusal, timeline
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process

SERVICE = "/etbgm.gateway.v1.GatewayService"
METHODS = [method.name for method in pb.DESCRIPTOR.services_by_name["GatewayService"].methods]


async def raw(api: Api, method: str, data: bytes) -> str:
    """The status with which the gateway answers these bytes."""
    path = f"{SERVICE}/{method}"
    described = pb.DESCRIPTOR.services_by_name["GatewayService"].methods_by_name[method]
    try:
        if described.client_streaming:
            await api.channel.stream_unary(path)(iter([data]), timeout=20)
        elif described.server_streaming:
            async for _ in api.channel.unary_stream(path)(data, timeout=20):
                pass
        else:
            await api.channel.unary_unary(path)(data, timeout=20)
    except grpc.aio.AioRpcError as error:
        return error.code().name
    return "OK"


@pytest.mark.parametrize("method", METHODS)
async def test_what_cannot_be_decoded_is_the_callers_mistake(api: Api, method: str) -> None:
    assert await raw(api, method, b"\xff\xff\xff") == "INVALID_ARGUMENT"


async def test_text_that_is_not_utf8_is_the_callers_mistake(api: Api) -> None:
    assert await raw(api, "GetJob", b"\x0a\x02\xff\xfe") == "INVALID_ARGUMENT"  # field 1, two bytes


@pytest.mark.parametrize("method", METHODS)
async def test_a_message_over_the_limit_is_not_read(api: Api, method: str) -> None:
    assert await raw(api, method, bytes(5 << 20)) == "RESOURCE_EXHAUSTED"


def resident_bytes(pid: int) -> int:
    (line,) = [
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) << 10


async def test_refused_requests_leave_no_memory_behind(gateway: Gateway) -> None:
    async with gateway.api() as api:
        codes = await asyncio.gather(*(raw(api, "CreateJob", bytes(30 << 20)) for _ in range(8)))
    assert set(codes) == {"RESOURCE_EXHAUSTED"}
    assert resident_bytes(gateway.pid) < 300 << 20


async def test_a_long_request_does_not_delay_other_callers(api: Api) -> None:
    video = await api.video()
    spans = [{"span": {"end": seconds_to_pb(1)}, "emotion": "EMOTION_JOY"}] * 9_999
    settings = pb.JobSettings(timeline={"duration": seconds_to_pb(1000), "spans": spans})
    for span in settings.timeline.spans:
        span.scores.extend([media_pb2.EmotionScore(emotion=1, probability=0.1)] * 20)
    request = pb.CreateJobRequest(video=video, settings=settings, validate_only=True)
    assert 1 << 20 < request.ByteSize() < 4 << 20
    refusing = [asyncio.create_task(refusal(api.stub.CreateJob(request))) for _ in range(3)]
    slowest_s = 0.0
    while not all(task.done() for task in refusing):
        started = time.monotonic()
        await api.stub.GetJob(pb.GetJobRequest(job_id="none")).code()
        slowest_s = max(slowest_s, time.monotonic() - started)
        await asyncio.sleep(0.02)
    assert {task.result().status_code for task in refusing} == {"INVALID_ARGUMENT"}
    assert slowest_s < 1.0


async def test_many_spans_in_a_short_video_are_refused(api: Api) -> None:
    spans = [
        {"span": {"start": seconds_to_pb(i / 100), "end": seconds_to_pb((i + 1) / 100)}, "emotion": 4}
        for i in range(1000)
    ]
    settings = {"timeline": {"duration": seconds_to_pb(10), "spans": spans}}
    error = await refusal(api.create(await api.video(), **settings))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", "settings.timeline.spans")


@pytest.mark.parametrize("media_type", ["video/mp4" + "x" * 3_000_000, "video/\0", "video/m\np4", "no type"])
async def test_odd_media_types_are_refused(api: Api, media_type: str) -> None:
    video = await api.video()
    video.media_type = media_type
    error = await refusal(api.create(video))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", "video.media_type")
    assert len((await api.stub.ListJobs(pb.ListJobsRequest())).SerializeToString()) < 1 << 20


async def test_unknown_fields_are_dropped(api: Api) -> None:
    unknown = b"\xaa\xe2\x7b" + b"\x80\x80\x40" + bytes(1 << 20)  # field 253,989, 1 MiB
    request = pb.CreateJobRequest(video=await api.video(), settings=pb.JobSettings(variants=1))
    request.settings.MergeFromString(unknown)
    assert request.ByteSize() > 1 << 20
    job = (await api.stub.CreateJob(request)).job
    kept = (await api.stub.GetJob(pb.GetJobRequest(job_id=job.job_id))).job
    assert max(job.ByteSize(), kept.ByteSize()) < 10_000


async def test_lists_leave_out_timelines(api: Api) -> None:
    job = await api.create(await api.video(), variants=1, style="calm piano", timeline=timeline(10.0))
    assert job.settings.timeline.spans
    listed = (await api.stub.ListJobs(pb.ListJobsRequest(page_size=1))).jobs[0]
    assert (listed.job_id, listed.settings.style) == (job.job_id, "calm piano")
    assert not listed.settings.HasField("timeline")
    assert (await api.stub.GetJob(pb.GetJobRequest(job_id=job.job_id))).job.settings.HasField("timeline")


async def test_many_states_are_refused(api: Api) -> None:
    error = await refusal(api.stub.ListJobs(pb.ListJobsRequest(states=[pb.STATE_QUEUED] * 300_000)))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", "states")


@pytest.mark.parametrize("job_id", ["a\0b" * 5, "x" * 5000, "'; DROP TABLE jobs; --", "/" * 36])
async def test_odd_job_ids_are_not_found(api: Api, job_id: str) -> None:
    for call in (
        api.stub.GetJob(pb.GetJobRequest(job_id=job_id)),
        api.stub.CancelJob(pb.CancelJobRequest(job_id=job_id)),
        api.stub.WatchJob(pb.WatchJobRequest(job_id=job_id)).read(),
    ):
        assert (await refusal(call)).status_code == "NOT_FOUND"


async def test_video_times_variants_is_limited(api: Api, services: FakeServices) -> None:
    video = await api.video(duration_s=3 * 3600.0)
    error = await refusal(api.create(video, variants=5))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", "settings.variants")
    assert "ETBGM_MAX_VARIANT_S" in error.status.message
    request = pb.CreateJobRequest(video=video, settings=pb.JobSettings(variants=4), validate_only=True)
    await api.stub.CreateJob(request)
    assert services.seen["Probe"] == 1, "the result of a probe is remembered"


async def test_a_video_that_many_name_at_once_is_probed_once(api: Api, services: FakeServices) -> None:
    request = pb.CreateJobRequest(video=await api.video(), validate_only=True)
    with services.hold("Probe"):
        calls = [asyncio.create_task(api.stub.CreateJob(request).code()) for _ in range(20)]
        await services.until("Probe")
        await asyncio.sleep(0.3)
    assert set(await asyncio.gather(*calls)) == {grpc.StatusCode.OK}
    assert services.seen["Probe"] == 1


async def test_probes_that_come_too_late_are_refused_with_a_time_to_retry(
    tmp_path: Path, services: FakeServices
) -> None:
    gateway = Gateway(tmp_path, services, probe_deadline_s="1.0", probes_at_once="2").start()

    async def code_of(video: media_pb2.Artifact, timeout: float) -> tuple[str, bool]:
        try:
            await api.stub.CreateJob(pb.CreateJobRequest(video=video, validate_only=True), timeout=timeout)
        except grpc.aio.AioRpcError as error:
            status = error_from_rpc(error)
            retry = error_details_pb2.RetryInfo()
            return status.status_code, any(detail.Unpack(retry) for detail in status.status.details)
        return "OK", False

    try:
        async with gateway.api() as api:
            videos = [await api.video() for _ in range(20)]
            with services.hold("Probe"):
                codes = await asyncio.gather(*(code_of(video, 20) for video in videos))
                soon = await code_of(await api.video(), 1.2)
            assert set(codes) == {("RESOURCE_EXHAUSTED", True)}
            assert soon == ("RESOURCE_EXHAUSTED", True), "before the caller's own deadline"
            assert await code_of(videos[0], 20) == ("OK", False)
    finally:
        gateway.kill()


async def test_a_hundred_callers_at_once_get_a_declared_answer(api: Api) -> None:
    data = [json.dumps({"duration_s": 5, "number": f"{time.time_ns()} {i}"}).encode() for i in range(100)]
    # Not at once: uploads have slots of their own.
    videos = [await api.upload(each) for each in data]
    requests = [pb.CreateJobRequest(video=video, validate_only=True) for video in videos]
    codes = await asyncio.gather(*(api.stub.CreateJob(request, timeout=60).code() for request in requests))
    assert set(codes) <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert codes.count(grpc.StatusCode.OK) > 90
