"""The gateway's API: what it refuses, repeats, lists, cancels, takes in and gives out."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm_kit.converters import seconds_to_pb
from etbgm_kit.serving.status import RemoteError, error_from_rpc, reason_of
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process


async def refusal(call: Awaitable[object]) -> RemoteError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return error_from_rpc(caught.value)


def field_of(error: RemoteError) -> str:
    bad = error_details_pb2.BadRequest()
    return next((bad.field_violations[0].field for detail in error.status.details if detail.Unpack(bad)), "")


def timeline(end_s: float) -> dict[str, object]:
    span = {"span": {"end": seconds_to_pb(end_s)}, "emotion": "EMOTION_JOY", "probability": 1.0}
    return {"duration": seconds_to_pb(end_s), "spans": [span]}


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"variants": 0}, "settings.variants"),
        ({"variants": 9}, "settings.variants"),
        ({"random_seed": -1}, "settings.random_seed"),
        ({"random_seed": 2**53}, "settings.random_seed"),
        ({"style": "polka"}, "settings.style"),
        ({"smoothing": 7}, "settings.smoothing"),
        ({"speech_task": 3}, "settings.speech_task"),
        ({"diffusion": {"denoising_strength": 1.1}}, "settings.diffusion.denoising_strength"),
        ({"diffusion": {"continuity": 3}}, "settings.diffusion.continuity"),
        ({"diffusion": {"adapters": [{"weight": 1}]}}, "settings.diffusion.adapters[0].name"),
        (
            {"diffusion": {"adapters": [{"name": "a"}, {"name": "b", "weight": 9}]}},
            "settings.diffusion.adapters[1].weight",
        ),
        ({"min_emotion_duration": {"seconds": 0}}, "settings.min_emotion_duration"),
        ({"min_emotion_duration": {"seconds": 61}}, "settings.min_emotion_duration"),
        ({"container": "avi"}, "settings.container"),
        ({"container": "webm"}, "settings.container"),
        ({"language": "no tag"}, "settings.language"),
        ({"mix": {"target_loudness_lufs": -8.5}}, "settings.mix.target_loudness_lufs"),
        ({"mix": {"speech_to_music_lu": float("nan")}}, "settings.mix.speech_to_music_lu"),
        ({"mix": {"original_audio": 9}}, "settings.mix.original_audio"),
        ({"mix": {"ambience_db": 1}}, "settings.mix.ambience_db"),
        ({"mix": {"music_levels": [{"gain_db": 13}]}}, "settings.mix.music_levels[0].gain_db"),
        ({"audio_tracks": {"number": 0}}, "settings.audio_tracks.number"),
        ({"audio_tracks": {"number": 1, "mix": True}}, "settings.audio_tracks.mix"),
        ({"mix": {"ambience_db": -18, "original_audio": "ORIGINAL_AUDIO_KEEP"}}, "settings.mix.ambience_db"),
        ({"timeline": timeline(9.9)}, "settings.timeline"),
        ({"timeline": {"duration": {"seconds": 10}}}, "settings.timeline.spans"),
        ({"captions": {"uri": "file:///x"}}, "settings.captions.sha256"),
    ],
)
async def test_settings_out_of_range_are_refused_by_name(
    api: Api, settings: dict[str, object], field: str
) -> None:
    error = await refusal(api.create(await api.video(), **settings))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", field)


async def test_a_timeline_of_too_many_spans_is_refused_before_anything_else(
    api: Api, services: FakeServices
) -> None:
    video = await api.video()
    settings = pb.JobSettings(timeline=timeline(10.0))
    settings.timeline.spans.extend([settings.timeline.spans[0]] * 10_000)
    error = await refusal(api.stub.CreateJob(pb.CreateJobRequest(video=video, settings=settings)))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", "settings.timeline.spans")
    assert "at most 10,000 elements, has 10,001" in error.status.message
    assert services.seen["Probe"] == 0


async def test_what_is_not_a_video_is_refused_at_once(api: Api) -> None:
    error = await refusal(api.create(await api.upload(b"plain text")))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", "video")


async def test_a_video_outside_of_the_store_or_gone_is_refused(api: Api) -> None:
    video = await api.video()
    elsewhere = pb.Job(video=video).video
    elsewhere.uri = "file:///etc/passwd"
    error = await refusal(api.create(elsewhere))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", "video.uri")
    video.uri = video.uri.replace(video.sha256, "0" * 64)
    video.sha256 = "0" * 64
    assert (await refusal(api.create(video))).status_code == "NOT_FOUND"


async def test_validate_only_checks_and_creates_nothing(api: Api, services: FakeServices) -> None:
    request = pb.CreateJobRequest(video=await api.video(), validate_only=True)
    before = (await api.stub.ListJobs(pb.ListJobsRequest())).jobs
    job = (await api.stub.CreateJob(request)).job
    assert (job.job_id, job.state) == ("", pb.STATE_QUEUED)
    assert (await api.stub.ListJobs(pb.ListJobsRequest())).jobs == before
    assert services.seen["Probe"] == 1
    request.settings.variants = 99
    assert (await refusal(api.stub.CreateJob(request))).status_code == "INVALID_ARGUMENT"


async def test_a_request_id_gives_the_same_job_again_and_no_other(api: Api) -> None:
    request = pb.CreateJobRequest(
        video=await api.video(), request_id=f"request-{time.time_ns()}", settings=pb.JobSettings(variants=1)
    )
    answers = await asyncio.gather(*(api.stub.CreateJob(request) for _ in range(3)))
    assert len({answer.job.job_id for answer in answers}) == 1
    request.settings.variants = 2
    assert (await refusal(api.stub.CreateJob(request))).status_code == "ALREADY_EXISTS"
    request.request_id = "short"
    assert field_of(await refusal(api.stub.CreateJob(request))) == "request_id"


async def test_jobs_are_listed_newest_first_in_pages(api: Api, services: FakeServices) -> None:
    with services.hold("Extract"):
        made = [(await api.create(await api.video(), variants=1)).job_id for _ in range(5)]
        request = pb.ListJobsRequest(page_size=2, states=[pb.STATE_QUEUED, pb.STATE_RUNNING])
        listed = []
        while True:
            page = await api.stub.ListJobs(request)
            listed.append([job.job_id for job in page.jobs])
            request.page_token = page.next_page_token
            if not request.page_token:
                break
        newest = made[::-1]
        assert listed == [newest[:2], newest[2:4], newest[4:]]
    for bad in (
        pb.ListJobsRequest(page_size=-1),
        pb.ListJobsRequest(page_token="!"),
        pb.ListJobsRequest(states=[pb.STATE_UNSPECIFIED]),
    ):
        assert (await refusal(api.stub.ListJobs(bad))).status_code == "INVALID_ARGUMENT"


async def test_unknown_jobs_are_not_found(api: Api) -> None:
    for call in (
        api.stub.GetJob(pb.GetJobRequest(job_id="x")),
        api.stub.CancelJob(pb.CancelJobRequest(job_id="x")),
        api.stub.WatchJob(pb.WatchJobRequest(job_id="x")).read(),
    ):
        assert (await refusal(call)).status_code == "NOT_FOUND"


async def test_watching_shows_progress_within_a_stage(api: Api, services: FakeServices) -> None:
    seen = []
    with services.hold("Generate"):
        job = await api.create(await api.video(), variants=2)
        async for response in api.stub.WatchJob(pb.WatchJobRequest(job_id=job.job_id)):
            seen.append(response.job)
            stages = response.job.stages
            if stages and stages[-1].stage == pb.STAGE_GENERATE and stages[-1].fraction == 0.5:
                break
    assert seen[-1].state == pb.STATE_RUNNING
    assert [stage.stage for stage in seen[-1].stages] == [1, 2, 3, 4, 5]
    assert not seen[-1].stages[-1].HasField("end_time")


async def test_cancelling_stops_the_running_call_and_ends_the_job(api: Api, services: FakeServices) -> None:
    with services.hold("Mix"):
        job = await api.create(await api.video(), variants=2)
        await services.until("Mix", 2)
        started = time.monotonic()
        cancelled = (await api.stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))).job
        await services.until("Mix cancelled", 2)
        # DBOS looks once a second whether a step's job was cancelled.
        assert time.monotonic() - started < 1.5
    assert cancelled.state == pb.STATE_CANCELLED
    await asyncio.sleep(0.5)
    after = (await api.stub.GetJob(pb.GetJobRequest(job_id=job.job_id))).job
    assert after.state == pb.STATE_CANCELLED
    assert not after.HasField("result")
    assert after.end_time == cancelled.end_time


async def test_a_finished_job_cannot_be_cancelled(api: Api) -> None:
    job = await api.run(await api.video(), variants=1)
    assert (await api.stub.CancelJob(pb.CancelJobRequest(job_id=job.job_id))).job == job


def opening(
    upload_id: str, size: int, offset: int = 0, media_type: str = "video/mp4", sha256: str = ""
) -> pb.UploadVideoRequest:
    return pb.UploadVideoRequest(
        opening=pb.UploadOpening(
            upload_id=upload_id, size_bytes=size, offset_bytes=offset, media_type=media_type, sha256=sha256
        )
    )


async def send(api: Api, *parts: pb.UploadVideoRequest) -> pb.UploadVideoResponse:
    return await api.stub.UploadVideo(iter(parts))


async def test_an_upload_is_resumed_where_it_broke_off(api: Api) -> None:
    upload_id, data = f"upload-{time.time_ns()}", json.dumps({"duration_s": 10}).encode() * 100
    first, second = data[:700], data[700:]
    answer = await send(api, opening(upload_id, len(data)), pb.UploadVideoRequest(data=first))
    assert (answer.received_bytes, answer.HasField("video")) == (700, False)
    stands = await api.stub.GetUpload(pb.GetUploadRequest(upload_id=upload_id))
    assert stands.received_bytes == 700
    wrong = send(api, opening(upload_id, len(data)), pb.UploadVideoRequest(data=data))
    assert field_of(await refusal(wrong)) == "opening.offset_bytes"
    answer = await send(api, opening(upload_id, len(data), 700), pb.UploadVideoRequest(data=second))
    assert answer.video.size_bytes == len(data)
    assert await api.read(answer.video) == data
    again = await api.stub.GetUpload(pb.GetUploadRequest(upload_id=upload_id))
    assert again.video == answer.video


async def test_bytes_stay_when_the_sender_goes_away(api: Api) -> None:
    upload_id = f"upload-{time.time_ns()}"

    async def parts() -> AsyncIterator[pb.UploadVideoRequest]:
        yield opening(upload_id, 100)
        yield pb.UploadVideoRequest(data=b"x" * 40)
        await asyncio.sleep(60)

    call = api.stub.UploadVideo(parts())
    await asyncio.sleep(0.3)
    busy = await refusal(send(api, opening(upload_id, 100, 40)))
    assert busy.status_code in ("FAILED_PRECONDITION", "INVALID_ARGUMENT")
    call.cancel()
    await asyncio.sleep(0.3)
    stands = await api.stub.GetUpload(pb.GetUploadRequest(upload_id=upload_id))
    assert stands.received_bytes == 40


async def test_a_silent_sender_is_ended_and_can_resume(tmp_path: Path, services: FakeServices) -> None:
    gateway = Gateway(tmp_path, services, upload_idle_s="0.3").start()

    async def parts() -> AsyncIterator[pb.UploadVideoRequest]:
        yield opening("upload-idle", 100)
        yield pb.UploadVideoRequest(data=b"x" * 40)
        await asyncio.sleep(60)

    try:
        async with gateway.api() as api:
            error = await refusal(api.stub.UploadVideo(parts(), timeout=20))
            assert (error.status_code, reason_of(error.status)) == ("ABORTED", "UPLOAD_IDLE")
            rest = pb.UploadVideoRequest(data=b"x" * 60)
            assert (await send(api, opening("upload-idle", 100, 40), rest)).HasField("video")
    finally:
        gateway.kill()


async def test_an_upload_id_is_for_one_file(api: Api) -> None:
    upload_id = f"upload-{time.time_ns()}"
    await send(api, opening(upload_id, 100), pb.UploadVideoRequest(data=b"x" * 40))
    for size in (40, 101):
        error = await refusal(send(api, opening(upload_id, size, 40)))
        assert (error.status_code, reason_of(error.status)) == ("ALREADY_EXISTS", "UPLOAD_ID_USED")


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([pb.UploadVideoRequest(data=b"x")], "opening"),
        ([], "opening"),
        ([opening("short", 10)], "opening.upload_id"),
        ([opening("../../etc/passwd", 10)], "opening.upload_id"),
        ([opening("upload-too-long", 5 << 20)], "opening.size_bytes"),
        ([opening("upload-empty", 0)], "opening.size_bytes"),
        ([opening("upload-type", 10, media_type="text/html")], "opening.media_type"),
        ([opening("upload-type", 10, media_type="video/\0")], "opening.media_type"),
        ([opening("upload-type", 10, media_type="video/" + "x" * 1000)], "opening.media_type"),
        ([opening("upload-sha256", 10, sha256="0")], "opening.sha256"),
        ([opening("upload-more", 3), pb.UploadVideoRequest(data=b"more")], "data"),
        ([opening("upload-big", 3 << 20), pb.UploadVideoRequest(data=b"x" * ((1 << 20) + 1))], "data"),
    ],
)
async def test_bad_uploads_are_refused_by_name(
    api: Api, parts: list[pb.UploadVideoRequest], field: str
) -> None:
    error = await refusal(send(api, *parts))
    assert (error.status_code, field_of(error)) == ("INVALID_ARGUMENT", field)


async def test_an_unknown_upload_is_not_found(api: Api) -> None:
    assert (await refusal(send(api, opening("upload-unknown", 10, 5)))).status_code == "NOT_FOUND"
    unknown = api.stub.GetUpload(pb.GetUploadRequest(upload_id="upload-unknown"))
    assert (await refusal(unknown)).status_code == "NOT_FOUND"


async def test_artifacts_are_given_out_whole_or_in_ranges(api: Api) -> None:
    data = bytes(range(256)) * 10_000
    halves = [
        pb.UploadVideoRequest(data=part)
        for part in (data[: 1 << 20], data[1 << 20 : 2 << 20], data[2 << 20 :])
    ]
    video = (await send(api, opening(f"upload-{time.time_ns()}", len(data)), *halves)).video
    assert await api.read(video) == data
    assert await api.read(video, offset_bytes=1_500_000) == data[1_500_000:]
    assert await api.read(video, offset_bytes=3, length_bytes=1 << 21) == data[3 : 3 + (1 << 21)]
    assert await api.read(video, offset_bytes=len(data)) == b""
    assert (await refusal(api.read(video, offset_bytes=len(data) + 1))).status_code == "OUT_OF_RANGE"
    assert (await refusal(api.read(video, offset_bytes=-1))).status_code == "INVALID_ARGUMENT"
    for uri, code in (
        ("file:///etc/passwd", "INVALID_ARGUMENT"),
        (video.uri.replace("artifact:", "record:"), "INVALID_ARGUMENT"),
        ("//", "INVALID_ARGUMENT"),
        ("a\0b", "INVALID_ARGUMENT"),
        ("/" * 5000, "INVALID_ARGUMENT"),
        (video.uri.replace(video.sha256, "../../jobs.sqlite"), "INVALID_ARGUMENT"),
        (video.uri.replace(video.sha256, "0" * 64), "NOT_FOUND"),
    ):
        video.uri = uri
        assert (await refusal(api.read(video))).status_code == code
        video.uri = uri
