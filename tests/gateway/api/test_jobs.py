"""What the pipeline asks of the services and makes of their answers."""

import json
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_kit.converters import seconds_to_pb
from tests.gateway.conftest import Api, FakeServices, Gateway

pytestmark = pytest.mark.process


def seconds(job: pb.Job) -> list[tuple[int, float]]:
    return [(stage.stage, stage.fraction) for stage in job.stages]


async def test_a_job_passes_the_six_stages_and_returns_everything(api: Api, services: FakeServices) -> None:
    job = await api.run(await api.video())
    assert job.state == pb.STATE_SUCCEEDED
    assert seconds(job) == [(stage, 1.0) for stage in range(1, 7)]
    assert all(stage.start_time.ToNanoseconds() <= stage.end_time.ToNanoseconds() for stage in job.stages)
    assert services.seen == {
        "Probe": 1, "Extract": 1, "Separate": 1, "Transcribe": 1, "Analyze": 1, "Generate": 4, "Mix": 4,
        "Generate computed": 4, "Mix computed": 4, "AnalyzePicture": 1,
    }  # fmt: skip

    result = job.result
    base = int(job.video.sha256, 16) % 2**53
    assert [(v.number, v.random_seed, v.style) for v in result.variants] == [
        (n, (base + n - 1) % 2**53, "ambient") for n in (1, 2, 3, 4)
    ]
    assert len({v.video.sha256 for v in result.variants}) == 4
    assert len({v.picture.sha256 for v in result.variants}) == 4
    assert not any(v.stems for v in result.variants)
    assert [engine.name for engine in result.engines] == [
        "deepfilternet",
        "faster-whisper",
        "e5",
        "composer",
    ]
    assert (result.container, list(result.notes)) == ("mp4", ["Written for readers of en."])
    assert "unmistakable words" in (await api.read(result.transcript_srt)).decode()
    assert (await api.read(result.transcript_vtt)).startswith(b"WEBVTT")
    said = json.loads(await api.read(result.transcript_json))
    assert [one["text"] for one in said["segments"][0]["words"]] == ["unmistakable", "words"]
    assert json.loads(await api.read(result.timeline_json))["phrases"][0]["text"] == "unmistakable words"
    assert (await api.read(result.timeline_plot)).startswith(b"\x89PNG")
    report = json.loads(await api.read(result.report))
    assert [stage["stage"] for stage in report["stages"]] == [
        "INGEST", "SEPARATE", "TRANSCRIBE", "ANALYZE", "GENERATE", "MIX",
    ]  # fmt: skip
    assert report["variants"][2]["reached"]["integrated_loudness_lufs"] == -14


async def test_the_report_tells_what_may_be_sold(api: Api) -> None:
    forbidden = {"name": "net", "licence": "CC-BY-NC-4.0", "commercial_use": False, "note": "No sale."}
    result = (await api.run(await api.video(ingredients=[forbidden]), variants=1)).result
    warning = "net (licence: CC-BY-NC-4.0) does not permit commercial use of this result. No sale."
    assert result.notes[-1] == warning
    manifest = json.loads(await api.read(result.report))["licences"]
    assert manifest["commercial_use"] == "no"
    assert [(used["name"], used["engines"]) for used in manifest["ingredients"]] == [("net", "deepfilternet")]


async def test_a_second_job_on_the_same_video_finds_what_has_not_changed(api: Api) -> None:
    video = await api.video()
    await api.run(video, variants=1)
    again = await api.run(video, variants=1, mix={"speech_to_music_lu": 20})
    found = {stage.stage: stage.found for stage in again.stages}
    assert found == {1: True, 2: True, 3: True, 4: True, 5: True, 6: False}


async def test_a_long_video_is_rendered_in_cues(api: Api, services: FakeServices) -> None:
    job = await api.run(await api.video(duration_s=300), variants=2)
    assert job.state == pb.STATE_SUCCEEDED
    assert services.seen["Generate"] == 2 * 4


async def test_stems_are_delivered_whole(api: Api, services: FakeServices) -> None:
    job = await api.run(await api.video(duration_s=300), variants=2, stems=True, style="calm piano")
    assert job.state == pb.STATE_SUCCEEDED
    assert services.seen["Generate"] == 2
    for variant in job.result.variants:
        assert [stem.name for stem in variant.stems] == ["lead", "bass"]
        assert await api.read(variant.stems[1].sound) == f"bass {variant.random_seed}".encode()


async def test_a_translation_is_another_artifact(api: Api) -> None:
    result = (await api.run(await api.video(), variants=1)).result
    assert not result.HasField("transcript_en_srt")
    assert list(result.notes) == ["Written for readers of en."]
    for settings in ({"translate": True}, {"speech_task": pb.SPEECH_TASK_TRANSLATE}):
        result = (await api.run(await api.video(), variants=1, **settings)).result
        assert "unmistakable words" in (await api.read(result.transcript_srt)).decode()
        assert "words in English" in (await api.read(result.transcript_en_srt)).decode()
        assert "words in English" in (await api.read(result.transcript_en_vtt)).decode()


async def test_diffusion_settings_reach_the_music_service(api: Api) -> None:
    settings = riffusion_pb2.DiffusionSettings(denoising_strength=0.25)
    job = await api.run(await api.video(), variants=1, diffusion=settings)
    assert "Denoised by 0.25." in job.result.notes
    assert json.loads(await api.read(job.result.report))["settings"]["diffusion"] == {
        "denoising_strength": 0.25
    }


async def test_the_mixer_gets_the_residual_to_keep_ambience(api: Api) -> None:
    job = await api.run(await api.video(), variants=1, mix={"ambience_db": -18})
    assert "Residual at -18 dB." in job.result.notes


@pytest.mark.parametrize(
    ("original_audio", "noted"), [("SPEECH_ONLY", True), ("KEEP", False), ("NONE", False)]
)
async def test_notes_on_separation_need_the_separated_speech(
    api: Api, original_audio: str, noted: bool
) -> None:
    video = await api.video(separation_notes=["Loud music was removed."])
    job = await api.run(video, variants=1, mix={"original_audio": f"ORIGINAL_AUDIO_{original_audio}"})
    assert ("Loud music was removed." in job.result.notes) == noted


async def test_the_voice_is_heard_unless_it_shall_not(api: Api, services: FakeServices) -> None:
    video = await api.video()
    result = (await api.run(video, variants=1)).result
    assert [span.arousal for span in result.timeline.spans if span.HasField("arousal")] == [0.75]
    document = json.loads(await api.read(result.timeline_json))
    assert document["phrases"][0]["arousal"] == 0.75
    assert document["timeline"]["spans"][0]["arousal"] == 0.75
    result = (await api.run(video, variants=1, ignore_voice=True)).result
    assert not any(span.HasField("arousal") for span in result.timeline.spans)
    assert services.seen["Analyze"] == 2


async def test_without_speech_the_music_is_neutral(api: Api, services: FakeServices) -> None:
    for video in (await api.video(speech=False), await api.video(audio=False)):
        job = await api.run(video, variants=1)
        assert [span.emotion for span in job.result.timeline.spans] == [5]
        assert any(note.startswith("No speech was found") for note in job.result.notes)
        assert not job.result.HasField("speech")
        assert not job.result.HasField("transcript_srt")
    assert (services.seen["Transcribe"], services.seen["Analyze"]) == (0, 0)
    assert services.seen["Separate"] == 1


async def test_a_given_timeline_is_stretched_to_the_video_and_not_analyzed(
    api: Api, services: FakeServices
) -> None:
    timeline = {
        "duration": seconds_to_pb(9.97),
        "spans": [{"span": {"end": seconds_to_pb(9.97)}, "emotion": "EMOTION_FEAR", "probability": 1.0}],
    }
    job = await api.run(await api.video(), timeline=timeline, variants=1)
    assert job.result.timeline.spans[0].span.end == Duration(seconds=10)
    assert services.seen["Analyze"] == 0


async def test_a_job_on_a_video_that_turns_out_bad_fails_with_the_reason(api: Api) -> None:
    job = await api.run(await api.video(fail="frames are missing"))
    assert job.state == pb.STATE_FAILED
    assert job.error.code == code_pb2.INVALID_ARGUMENT
    bad = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad) for detail in job.error.details)
    assert bad.field_violations[0].description == "frames are missing"


async def test_what_was_said_is_not_in_the_job_database(api: Api, shared_gateway: Gateway) -> None:
    await api.run(await api.video(), variants=1)
    stored = b"".join(path.read_bytes() for path in shared_gateway.folder.glob("jobs.sqlite*"))
    assert b"deepfilternet" in stored
    assert b"unmistakable" not in stored


async def test_replicas_of_their_own_may_separate(tmp_path: Path, services: FakeServices) -> None:
    separator = FakeServices(tmp_path / "separator", services.store_url, {}, "mixer")
    address = separator.addresses["mixer_address"]
    gateway = Gateway(tmp_path, services, separator_address=address).start()
    try:
        async with gateway.api() as api:
            job = await api.run(await api.video(), variants=1)
    finally:
        gateway.stop()
        separator.close()
    assert job.state == pb.STATE_SUCCEEDED
    assert separator.seen == {"Separate": 1}
    assert (services.seen["Separate"], services.seen["Extract"], services.seen["Mix"]) == (0, 1, 1)
