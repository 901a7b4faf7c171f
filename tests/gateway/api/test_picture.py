"""Cuts and mood of the picture in a job."""

import json

import grpc
import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_gateway.pipeline import pictures
from etbgm_kit.picture_converters import cut_to_pb
from etbgm_kit.types import Cut
from tests.gateway.conftest import Api, FakeServices, refused

pytestmark = pytest.mark.process

FOUND, USER = media_pb2.CUT_ORIGIN_PICTURE, media_pb2.CUT_ORIGIN_USER
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
    found = {"time": "3s", "strength": 0.8, "kind": "CUT_KIND_HARD", "origin": "CUT_ORIGIN_PICTURE"}
    assert shown["cuts"] == [found]
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
    given = media_pb2.CutList(cuts=[cut_to_pb(Cut(2.0)), cut_to_pb(Cut(9.0))])
    result = (await api.run(await api.video(picture=PICTURE), variants=1, cuts=given)).result
    assert [(cut.time.seconds, cut.origin) for cut in result.cuts] == [(2, USER), (9, USER)]


@pytest.mark.parametrize(
    ("cuts", "field", "reason"),
    [
        ([Cut(2.0), Cut(1.0)], "cuts[1].time", "must be after the cut before it, at 2.000 s, is 1.000 s"),
        ([Cut(2.0), Cut(2.0)], "cuts[1].time", "must be after the cut before it, at 2.000 s, is 2.000 s"),
        ([Cut(2.0), Cut(99.0)], "cuts[1].time", "must be after 0 s, before the end at 10.000 s"),
        ([Cut(2.0, 1.01)], "cuts[0].strength", "must be in [0, 1], is 1.01"),
    ],
)
async def test_unusable_cuts_are_refused(api: Api, cuts: list[Cut], field: str, reason: str) -> None:
    given = media_pb2.CutList(cuts=map(cut_to_pb, cuts))
    error = await refused(api.create(await api.video(), cuts=given), grpc.StatusCode.INVALID_ARGUMENT)
    assert f"settings.cuts.{field}" in str(error) and reason in str(error)


async def test_a_user_drops_and_adds_cuts(api: Api, services: FakeServices) -> None:
    parent = await api.run(await api.video(picture=PICTURE), variants=1)
    services.forget()
    kept, dropped, added = parent.result.cuts[0], cut_to_pb(Cut(7.0, 0.0)), cut_to_pb(Cut(5.5))
    assert kept.origin == FOUND
    added.origin = FOUND  # what requests say is ignored
    job = await api.remixed(parent, settings={"cuts": {"cuts": [kept, added, dropped]}})
    assert [cut.origin for cut in job.result.cuts] == [FOUND, USER, USER]
    assert services.seen["Generate computed"] == 1
    assert all(stage.found for stage in job.stages if stage.stage < pb.STAGE_GENERATE)
    report = json.loads(await api.read(job.result.report))
    assert [cut["origin"] for cut in report["cuts"]] == ["CUT_ORIGIN_PICTURE"] + 2 * ["CUT_ORIGIN_USER"]
    again = await api.remixed(job, settings={"random_seed": 7})
    assert again.result.cuts == job.result.cuts


async def test_many_cuts_are_accepted(api: Api) -> None:
    cuts = media_pb2.CutList(cuts=[cut_to_pb(Cut(i / 100)) for i in range(1, 900)])
    assert (await api.create(await api.video(), cuts=cuts, variants=1)).job_id


def test_the_music_does_not_hear_of_dropped_cuts_and_of_those_at_the_end() -> None:
    cuts = [cut_to_pb(cut) for cut in (Cut(1.0), Cut(2.0, 0.0), Cut(3.0, 0.1), Cut(4.0))]
    assert pictures.marked(cuts, 4.0) == [cuts[0], cuts[2]]


async def test_an_earlier_mixer_does_without(api: Api) -> None:
    job = await api.run(await api.video(old=True), variants=1)
    assert any("earlier release" in note for note in job.result.notes)
