"""Remixes compute again only what they touch, and previews come before the videos."""

import json
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm_kit.converters import seconds_to_pb, span_to_pb
from etbgm_kit.types import Span
from tests.gateway.conftest import Api, FakeServices, refused

pytestmark = pytest.mark.process

STAGES = ("INGEST", "SEPARATE", "TRANSCRIBE", "ANALYZE", "GENERATE", "MIX")


def computed(job: pb.Job) -> list[str]:
    """The stages that computed something."""
    return [STAGES[stage.stage - 1] for stage in job.stages if not stage.found]


async def test_a_remix_computes_only_what_its_settings_touch(api: Api, services: FakeServices) -> None:
    parent = await api.run(await api.video(), variants=2, language="en", mix={"speech_to_music_lu": 18})
    services.forget()
    louder = await api.remixed(parent, settings={"mix": {"target_loudness_lufs": -16}})
    assert computed(louder) == ["MIX"]
    assert (louder.parent_job_id, louder.settings.variants) == (parent.job_id, 2)
    assert louder.settings.mix.speech_to_music_lu == 18
    other = await api.remixed(parent, settings={"variant_settings": [{"number": 2, "style": "calm piano"}]})
    assert computed(other) == ["GENERATE", "MIX"]
    assert (services.seen["Generate computed"], services.seen["Mix computed"]) == (1, 2 + 1)
    same = [variant.video in [v.video for v in parent.result.variants] for variant in other.result.variants]
    assert same == [True, False]
    seeded = await api.remixed(other, settings={"variant_settings": [{"number": 1, "random_seed": 7}]})
    assert [one.number for one in seeded.settings.variant_settings] == [1, 2]
    assert seeded.result.variants[0].random_seed == 7
    assert seeded.result.variants[1].video == other.result.variants[1].video


async def test_spans_are_written_over_the_timeline(api: Api, services: FakeServices) -> None:
    parent = await api.run(await api.video(), variants=1)
    services.forget()
    span = media_pb2.EmotionSpan(span=span_to_pb(Span(2, 4)), emotion=media_pb2.EMOTION_FEAR)
    job = await api.remixed(parent, spans=[span])
    emotions = [(span.span.start.seconds, span.emotion) for span in job.result.timeline.spans]
    assert emotions == [
        (0, media_pb2.EMOTION_JOY),
        (2, media_pb2.EMOTION_FEAR),
        (4, media_pb2.EMOTION_JOY),
        (5, media_pb2.EMOTION_SADNESS),
    ]
    assert services.seen["Analyze"] == 0
    back = await api.remixed(job, update_mask=FieldMask(paths=["timeline"]))
    assert back.result.timeline == parent.result.timeline


async def test_new_words_are_classified_anew(api: Api, services: FakeServices) -> None:
    parent = await api.run(await api.video(), variants=1)
    services.forget()
    words = media_pb2.Segment(span=span_to_pb(Span(1, 3)), text="what was really said")
    transcript = media_pb2.Transcript(segments=[words], language="en")
    job = await api.remixed(parent, transcript=transcript)
    assert job.settings.language == "en"
    document = json.loads(await api.read(job.result.timeline_json))
    assert "what was really said" in document["phrases"][0]["text"]
    assert (services.seen["Analyze"], services.seen["Transcribe"]) == (1, 0)


async def test_the_sound_comes_before_the_video(api: Api, services: FakeServices) -> None:
    with services.hold("Mix.video"):
        job_id = (await api.create(await api.video(), variants=2)).job_id
        async for response in api.stub.WatchJob(pb.WatchJobRequest(job_id=job_id)):
            if len(response.job.previews) == 2:
                break
        sounds = {preview.number: await api.read(preview.audio) for preview in response.job.previews}
    job = await api.finished(job_id)
    assert {v.number: await api.read(v.preview) for v in job.result.variants} == sounds
    assert [preview.audio for preview in sorted(job.previews, key=lambda p: p.number)] == [
        variant.preview for variant in job.result.variants
    ]
    assert (await api.read(job.result.variants[0].waveform)).startswith(b"waveform")


async def test_what_a_remix_changes_is_heard_first(api: Api, services: FakeServices) -> None:
    parent = await api.run(await api.video(300), variants=2)
    span = media_pb2.EmotionSpan(span=span_to_pb(Span(30, 40)), emotion=media_pb2.EMOTION_FEAR)
    with services.hold("Mix"):
        started = (await api.stub.RemixJob(pb.RemixJobRequest(job_id=parent.job_id, spans=[span]))).job
        async for response in api.stub.WatchJob(pb.WatchJobRequest(job_id=started.job_id)):
            if response.job.HasField("excerpt"):
                break
    excerpt = response.job.excerpt
    assert (excerpt.number, excerpt.span) == (1, span_to_pb(Span(29, 39)))
    assert (await api.read(excerpt.audio)).startswith(b"excerpt of ")
    finished = await api.finished(started.job_id)
    assert finished.excerpt == excerpt

    quieter = {"mix": {"music_levels": [{"span": span_to_pb(Span(12, 14)), "gain_db": -20}]}}
    services.forget()
    lowered = await api.remixed(finished, settings=quieter)
    assert lowered.excerpt.span == span_to_pb(Span(11, 15))
    assert services.seen["Generate computed"] == 0, "the music itself is not new"


async def test_a_remix_needs_no_excerpt(api: Api, services: FakeServices) -> None:
    parent = await api.run(await api.video(60), variants=1)
    assert not parent.HasField("excerpt")
    same = await api.remixed(parent)
    assert not same.HasField("excerpt")
    assert services.seen["MixExcerpt"] == 0


async def test_the_request_id_is_returned_and_makes_a_remix_idempotent(api: Api) -> None:
    parent = await api.run(await api.video(), variants=1)
    request = pb.RemixJobRequest(job_id=parent.job_id, request_id=f"remix-{parent.job_id}"[:40])
    first, again = [(await api.stub.RemixJob(request)).job for _ in range(2)]
    assert first.job_id == again.job_id
    assert first.request_id == request.request_id
    own = pb.CreateJobRequest(video=parent.video, settings=parent.settings, request_id=request.request_id)
    error = await refused(api.stub.CreateJob(own), grpc.StatusCode.ALREADY_EXISTS)
    assert error.reason == "REQUEST_ID_USED"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"settings": {"mix": {"target_loudness_lufs": 0}}}, "settings.mix.target_loudness_lufs"),
        ({"update_mask": FieldMask(paths=["loudness"])}, "update_mask"),
        ({"settings": {"variant_settings": [{"number": 3}]}}, "settings.variant_settings[0].number"),
        ({"settings": {"variant_settings": [{"number": 1}] * 2}}, "settings.variant_settings[1].number"),
        (
            {"settings": {"variant_settings": [{"number": 1, "style": "loud"}]}},
            "settings.variant_settings[0].style",
        ),
        ({"spans": [{"span": {"end": seconds_to_pb(60)}, "emotion": "EMOTION_JOY"}]}, "spans[0]"),
        ({"spans": [{"span": {"end": seconds_to_pb(6)}, "emotion": "EMOTION_JOY"}] * 2}, "spans[1]"),
        ({"transcript": {}}, "transcript.segments"),
        ({"transcript": {"segments": [{"text": "a\0b"}]}}, "transcript.segments[0].text"),
    ],
)
async def test_bad_remixes_are_refused(api: Api, request_: dict[str, Any], field: str) -> None:
    parent = await api.run(await api.video(), variants=2)
    request = pb.RemixJobRequest(job_id=parent.job_id, **request_)
    error = await refused(api.stub.RemixJob(request), grpc.StatusCode.INVALID_ARGUMENT)
    assert list(error.fields) == [field]


async def test_spans_need_a_result(api: Api, services: FakeServices) -> None:
    with services.hold("Extract"):
        parent = await api.create(await api.video(), variants=1)
        span = media_pb2.EmotionSpan(span=span_to_pb(Span(2, 4)), emotion=media_pb2.EMOTION_FEAR)
        request = pb.RemixJobRequest(job_id=parent.job_id, spans=[span])
        await refused(api.stub.RemixJob(request), grpc.StatusCode.FAILED_PRECONDITION)
    await refused(api.stub.RemixJob(pb.RemixJobRequest(job_id="nobody")), grpc.StatusCode.NOT_FOUND)
