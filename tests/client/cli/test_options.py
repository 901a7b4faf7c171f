"""Options become settings; files that do not fit are refused by name."""

from pathlib import Path

import pytest

from etbgm.gateway.v1 import gateway_pb2 as pb
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm_cli.options import JobOptions, container_of, read_cuts, read_timeline, settings_of
from etbgm_client import AsyncClient
from etbgm_kit.errors import InvalidField

TIMELINE = '{"duration": "2s", "spans": [{"span": {"start": "0s", "end": "2s"}, "emotion": "EMOTION_JOY"}]}'


async def test_what_is_not_wished_stays_absent() -> None:
    settings = await settings_of(JobOptions(), AsyncClient("127.0.0.1:1"))
    assert settings == pb.JobSettings(
        mix=mixer_pb2.MixSettings(original_audio=mixer_pb2.ORIGINAL_AUDIO_SPEECH_ONLY)
    )


async def test_options_reach_their_fields() -> None:
    options = JobOptions(
        variants=2,
        random_seed=5,
        original_audio="keep",
        ambience_db=-18.0,
        audio_track=2,
        keep_original_track=True,
        min_emotion_s=2.5,
        smoothing="rule",
        translate=True,
        ignore_voice=True,
        ignore_picture=True,
        hits="strong",
        denoising_strength=0.0,
        adapters=("strings", "tape=0.5"),
    )
    settings = await settings_of(options, AsyncClient("127.0.0.1:1"))
    assert (settings.variants, settings.random_seed) == (2, 5)
    assert settings.mix.original_audio == mixer_pb2.ORIGINAL_AUDIO_KEEP
    assert settings.mix.ambience_db == -18
    assert (settings.audio_tracks.number, settings.audio_tracks.mix) == (2, False)
    assert settings.mix.keep_original_tracks
    assert settings.min_emotion_duration.ToMilliseconds() == 2500
    assert (settings.smoothing, settings.translate, settings.ignore_voice) == (1, True, True)
    assert (settings.ignore_picture, settings.hits) == (True, riffusion_pb2.HITS_STRONG)
    assert settings.diffusion == riffusion_pb2.DiffusionSettings(
        denoising_strength=0,
        adapters=[
            riffusion_pb2.Adapter(name="strings"),
            riffusion_pb2.Adapter(name="tape", weight=0.5),
        ],
    )


async def test_the_level_of_the_music_has_names() -> None:
    client = AsyncClient("127.0.0.1:1")
    levels = [await settings_of(JobOptions(music=name), client) for name in ("low", "medium", "high")]
    assert [settings.mix.speech_to_music_lu for settings in levels] == [18, 14, 10]
    with pytest.raises(InvalidField, match="cannot be used together with --speech-to-music"):
        await settings_of(JobOptions(music="low", speech_to_music_lu=12.0), client)


@pytest.mark.parametrize("text", [TIMELINE, f'{{"timeline": {TIMELINE}, "phrases": []}}'])
def test_both_forms_of_a_timeline_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    assert read_timeline(path).spans[0].emotion == media_pb2.EMOTION_JOY


@pytest.mark.parametrize("text", ["", "[1]", '{"spans": 3}', '{"spans": [{"emotion": "HAPPY"}]}'])
def test_other_files_are_no_timelines(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(InvalidField, match=r"timeline: t\.json"):
        read_timeline(path)


async def test_cuts_are_read_from_files_and_may_be_none(tmp_path: Path) -> None:
    path = tmp_path / "timeline.json"
    path.write_text(f'{{"timeline": {TIMELINE}, "cuts": [{{"time": "1.5s", "strength": 0}}]}}')
    settings = await settings_of(JobOptions(cuts=path), AsyncClient("127.0.0.1:1"))
    assert [(cut.time.ToMilliseconds(), cut.strength) for cut in settings.cuts.cuts] == [(1500, 0)]
    path.write_text('{"cuts": []}')
    assert (await settings_of(JobOptions(cuts=path), AsyncClient("127.0.0.1:1"))).HasField("cuts")


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"cuts": 3}', '{"cuts": [{"time": "soon"}]}'])
def test_other_files_have_no_cuts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(InvalidField, match=r"cuts: c\.json"):
        read_cuts(path)


def test_containers_come_from_the_name() -> None:
    assert container_of(Path("a/b.MP4")) == "mp4"
    with pytest.raises(InvalidField, match=r"\.webm"):
        container_of(Path("b.gif"))


async def test_an_adapters_weight_is_a_number() -> None:
    with pytest.raises(InvalidField, match="tape=much"):
        await settings_of(JobOptions(adapters=("tape=much",)), AsyncClient("127.0.0.1:1"))
