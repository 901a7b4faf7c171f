"""Cuts and mood of the picture in a job."""

import json

import grpc
import pytest

from etbgm.media.v1 import media_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_kit.picture_converters import cut_to_pb
from etbgm_kit.types import Cut
from tests.gateway.conftest import Api, FakeServices, refused

pytestmark = pytest.mark.process

PICTURE = {
    "cuts": [{"time": "3s", "strength": 0.8, "kind": "CUT_KIND_HARD"}],
    "mood": {"arousal": [0.5] * 10, "valence": [-0.5] * 10, "certainty": [1] * 10},
    "notes": ["Seen."],
}


async def test_a_silent_video_follows_its_picture(api: Api) -> None:
    result = (await api.run(await api.video(speech=False, picture=PICTURE), variants=1)).result
    (span,) = result.timeline.spans
    assert (span.emotion, list(span.evidence)) == (media_pb2.EMOTION_FEAR, [media_pb2.EVIDENCE_PICTURE])
    assert [cut.time.seconds for cut in result.cuts] == [3]
    assert list(result.picture_mood.arousal) == [0.5] * 10
    assert "Seen." in result.notes
    shown = json.loads(await api.read(result.timeline_json))
    assert shown["cuts"] == [{"time": "3s", "strength": 0.8, "kind": "CUT_KIND_HARD"}]
    assert shown["pictureMood"]["valence"] == [-0.5] * 10
    report = json.loads(await api.read(result.report))
    assert report["evidence_s"] == {"words": 0.0, "picture": 10.0, "none": 0.0}


async def test_without_picture_and_hits_it_is_not_looked_at(api: Api, services: FakeServices) -> None:
    video = await api.video(speech=False, picture=PICTURE)
    result = (await api.run(video, variants=1, ignore_picture=True, hits=riffusion_pb2.HITS_OFF)).result
    assert services.seen["AnalyzePicture"] == 0
    assert result.timeline.spans[0].emotion == media_pb2.EMOTION_NEUTRAL
    assert not result.cuts


async def test_given_cuts_replace_those_that_are_found(api: Api) -> None:
    given = media_pb2.CutList(cuts=[cut_to_pb(Cut(2.0)), cut_to_pb(Cut(99.0))])
    result = (await api.run(await api.video(picture=PICTURE), variants=1, cuts=given)).result
    assert [cut.time.seconds for cut in result.cuts] == [2, 99]


async def test_cuts_out_of_order_are_refused(api: Api) -> None:
    cuts = media_pb2.CutList(cuts=[cut_to_pb(Cut(2.0)), cut_to_pb(Cut(1.0))])
    error = await refused(api.create(await api.video(), cuts=cuts), grpc.StatusCode.INVALID_ARGUMENT)
    assert "settings.cuts.cuts[1].time" in str(error)


async def test_an_earlier_mixer_does_without(api: Api) -> None:
    job = await api.run(await api.video(old=True), variants=1)
    assert any("earlier release" in note for note in job.result.notes)
