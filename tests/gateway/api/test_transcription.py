"""Captions take the place of recognition if they say something that can be read."""

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from tests.gateway.conftest import Api, FakeServices

pytestmark = pytest.mark.process

SPANISH, ENGLISH, BLANK = {"language": "spa"}, {"language": "eng"}, {"language": "blank"}


async def said(api: Api, job: pb.Job) -> str:
    return (await api.read(job.result.transcript_srt)).decode()


async def test_given_captions_are_used(api: Api, services: FakeServices) -> None:
    captions = await api.upload(b"WEBVTT\n", "text/vtt")
    job = await api.run(await api.video(subtitles=[ENGLISH]), captions=captions, variants=1)
    assert "captions of 10 s: WEBVTT" in await said(api, job)
    assert list(job.result.notes) == ["The captions were imported."]
    assert (services.seen["Transcribe"], services.seen["ImportCaptions"]) == (0, 1)


async def test_subtitles_in_the_video_are_used_unless_they_shall_not(
    api: Api, services: FakeServices
) -> None:
    video = await api.video(subtitles=[ENGLISH])
    job = await api.run(video, variants=1)
    assert (services.seen["Transcribe"], services.seen["ImportCaptions"]) == (0, 1)
    assert any("subtitles in the video replaced speech recognition" in note for note in job.result.notes)
    await api.run(video, variants=1, ignore_subtitles=True)
    assert services.seen["Transcribe"] == 1


async def test_the_track_that_the_classifier_reads_is_used(api: Api, services: FakeServices) -> None:
    job = await api.run(await api.video(subtitles=[SPANISH, BLANK, ENGLISH]), variants=1)
    assert "WEBVTT in eng" in await said(api, job)
    assert services.seen["ImportCaptions"] == 1


@pytest.mark.parametrize(
    ("speech", "notes"), [(True, ["Written for readers of en."]), (False, ["No speech was found"])]
)
async def test_blank_captions_give_way_to_recognition(
    api: Api, services: FakeServices, speech: bool, notes: list[str]
) -> None:
    captions = await api.upload(b"blank", "text/vtt")
    job = await api.run(await api.video(speech=speech), captions=captions, variants=1)
    assert any("given captions contain no words" in note for note in job.result.notes)
    job = await api.run(await api.video(speech=speech, subtitles=[BLANK, BLANK]), variants=1)
    assert any("subtitles in the video contain no words" in note for note in job.result.notes)
    assert any(note.startswith(notes[0]) for note in job.result.notes)
    assert services.seen["Transcribe"] == (2 if speech else 0)
    assert services.seen["ImportCaptions"] == 1
    assert job.state == pb.STATE_SUCCEEDED


async def test_ignored_subtitles_are_not_noted(api: Api) -> None:
    job = await api.run(await api.video(subtitles=[BLANK]), variants=1, ignore_subtitles=True)
    assert list(job.result.notes) == ["Written for readers of en."]


async def test_subtitles_in_a_foreign_language_give_way_to_recognition(
    api: Api, services: FakeServices
) -> None:
    job = await api.run(await api.video(subtitles=[SPANISH]), variants=1)
    assert (services.seen["Transcribe"], services.seen["ImportCaptions"]) == (1, 0)
    assert any("does not read the language of the subtitles in the video (es)" in n for n in job.result.notes)


async def test_subtitles_in_a_foreign_language_are_better_than_nothing(api: Api) -> None:
    job = await api.run(await api.video(subtitles=[SPANISH], speech=False), variants=1)
    assert "WEBVTT in spa" in await said(api, job)
    assert any("emotions may be wrong" in note and "read es" in note for note in job.result.notes)


async def test_given_captions_in_a_foreign_language_are_used_with_a_note(
    api: Api, services: FakeServices
) -> None:
    captions = await api.upload(b"WEBVTT\n", "text/vtt")
    job = await api.run(await api.video(), captions=captions, language="es", variants=1)
    assert (services.seen["Transcribe"], services.seen["ImportCaptions"]) == (0, 1)
    assert any("emotions may be wrong" in note and "read es" in note for note in job.result.notes)
