"""The service over real gRPC."""

import io
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import mido
import numpy as np
import pytest
import pytest_asyncio
import soundfile
from numpy.typing import NDArray

from etbgm.media.v1 import media_pb2
from etbgm.riffusion.v1 import riffusion_pb2 as pb
from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceStub
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, seconds_from_pb, seconds_to_pb
from etbgm_riffusion.assembly import build
from etbgm_riffusion.settings import Settings
from tests.servers import channel_to

if TYPE_CHECKING:
    from etbgm.riffusion.v1.riffusion_pb2_grpc import RiffusionServiceAsyncStub


def pb_span(start_s: float, end_s: float) -> media_pb2.Span:
    return media_pb2.Span(start=seconds_to_pb(start_s), end=seconds_to_pb(end_s))


def request(*edges: float, style: str = "cinematic") -> pb.GenerateRequest:
    """Asks for a whole piece of alternating joy and sadness."""
    emotions = itertools.cycle((media_pb2.EMOTION_JOY, media_pb2.EMOTION_SADNESS))
    spans = [
        media_pb2.EmotionSpan(span=pb_span(start, end), emotion=emotion, probability=0.9)
        for (start, end), emotion in zip(itertools.pairwise(edges), emotions, strict=False)
    ]
    timeline = media_pb2.EmotionTimeline(duration=seconds_to_pb(edges[-1]), spans=spans)
    return pb.GenerateRequest(timeline=timeline, cue=pb_span(0, edges[-1]), random_seed=5, style=style)


@pytest_asyncio.fixture
async def stub(tmp_path: Path) -> AsyncIterator["RiffusionServiceAsyncStub"]:
    settings = Settings(
        store_url=f"file://{tmp_path}/store", listen_address="127.0.0.1:0", work_dir=tmp_path / "work"
    )
    async with channel_to(build(settings)) as channel:
        yield RiffusionServiceStub(channel)


async def result_of(stub: "RiffusionServiceAsyncStub", asked: pb.GenerateRequest) -> pb.GenerateResult:
    responses = [response async for response in stub.Generate(asked)]
    assert [response.WhichOneof("update") for response in responses[-1:]] == ["result"]
    fractions = [response.progress.fraction for response in responses[:-1]]
    assert fractions == sorted(fractions)
    return responses[-1].result


async def test_a_cue_becomes_sound_midi_and_facts(
    stub: "RiffusionServiceAsyncStub", store: ArtifactStore
) -> None:
    result = await result_of(stub, request(0, 5, 11.3))
    sound = soundfile.info(io.BytesIO(store.read(artifact_from_pb(result.music))))
    assert (sound.format, sound.subtype, sound.channels) == ("FLAC", "PCM_24", 2)
    assert (sound.samplerate, sound.frames) == (48000, round(11.3 * 48000))
    midi = mido.MidiFile(file=io.BytesIO(store.read(artifact_from_pb(result.midi))))
    assert midi.length == pytest.approx(11.3, abs=0.02)
    assert [section.emotion for section in result.sections] == [
        media_pb2.EMOTION_JOY,
        media_pb2.EMOTION_SADNESS,
    ]
    assert result.sections[0].span.end == seconds_to_pb(5)
    assert (result.style, result.engine.name, result.engine.device) == ("cinematic", "composer", "cpu")
    assert not result.timings.found


async def test_the_bars_of_all_cues_are_those_of_the_piece(stub: "RiffusionServiceAsyncStub") -> None:
    bars = []
    for start, end in ((0, 4), (4, 9), (9, 11.3)):
        asked = request(0, 5, 11.3)
        asked.cue.CopyFrom(pb_span(start, end))
        bars.extend((await result_of(stub, asked)).bars)
    edges_s = [seconds_from_pb(bar.span.start) for bar in bars] + [seconds_from_pb(bars[-1].span.end)]
    assert edges_s[0] == 0
    assert edges_s[-1] == pytest.approx(11.3)
    assert all(seconds_from_pb(a.span.end) == pytest.approx(seconds_from_pb(b.span.start), abs=1e-6)
               for a, b in itertools.pairwise(bars))  # fmt: skip
    assert any(at_s == pytest.approx(5, abs=1e-6) for at_s in edges_s), "a boundary is a bar line"
    assert all(bar.beats > 0 for bar in bars)


async def test_an_omitted_field_finds_what_its_default_made(stub: "RiffusionServiceAsyncStub") -> None:
    asked = request(0, 3, style="")
    assert not (await result_of(stub, asked)).timings.found
    asked.style, asked.sample_rate_hz = "auto", 48000
    assert (await result_of(stub, asked)).timings.found


async def test_a_piece_has_a_picture(stub: "RiffusionServiceAsyncStub", store: ArtifactStore) -> None:
    result = await result_of(stub, request(0, 3))
    assert result.picture.media_type == "image/png"
    assert store.read(artifact_from_pb(result.picture)).startswith(b"\x89PNG")
    assert not result.stems


async def test_stems_sum_to_the_music(stub: "RiffusionServiceAsyncStub", store: ArtifactStore) -> None:
    asked = request(0, 5, 9)
    asked.stems = True
    asked.cue.CopyFrom(pb_span(1, 8))
    result = await result_of(stub, asked)
    names = [stem.name for stem in result.stems]
    assert {"lead", "keys", "bass", "drums"} <= set(names)
    assert len(names) == len(set(names))
    stems = [sound_of(store, stem.sound) for stem in result.stems]
    music = sound_of(store, result.music)
    difference = np.sum(stems, axis=0) - music
    assert 20 * np.log10(np.std(difference) / np.std(music)) < -60


def sound_of(store: ArtifactStore, artifact: media_pb2.Artifact) -> NDArray[np.float64]:
    return np.asarray(soundfile.read(io.BytesIO(store.read(artifact_from_pb(artifact))))[0])


@pytest.mark.parametrize("style", ["calm piano", "Epic orchestral, no drums", "lo-fi"])
async def test_hints_are_taken_for_a_style(stub: "RiffusionServiceAsyncStub", style: str) -> None:
    result = await result_of(stub, request(0, 2, style=style))
    assert result.style in {style.name for style in (await stub.ListStyles(pb.ListStylesRequest())).styles}


async def test_hints_are_explained(stub: "RiffusionServiceAsyncStub") -> None:
    read = await stub.ReadStyle(pb.ReadStyleRequest(style="Calm piano, no drums"))
    assert (read.style, read.arousal, list(read.instruments), read.drums) == ("auto", -0.6, ["piano"], False)


async def test_unknown_words_are_named(stub: "RiffusionServiceAsyncStub") -> None:
    for call in (
        result_of(stub, request(0, 2, style="calm didgeridoo")),
        stub.ReadStyle(pb.ReadStyleRequest(style="calm didgeridoo")),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert 'does not know "didgeridoo"' in (refused.value.details() or "")


async def test_the_same_request_is_found_and_another_rate_is_not(stub: "RiffusionServiceAsyncStub") -> None:
    asked = request(0, 2)
    first, again = await result_of(stub, asked), await result_of(stub, asked)
    assert (first.timings.found, again.timings.found) == (False, True)
    assert first.music == again.music
    asked.sample_rate_hz = 44100
    other = await result_of(stub, asked)
    assert (other.timings.found, other.midi) == (False, first.midi)


async def test_styles_are_listed_in_order(stub: "RiffusionServiceAsyncStub") -> None:
    styles = (await stub.ListStyles(pb.ListStylesRequest())).styles
    names = [style.name for style in styles]
    assert names == sorted(names)
    assert len(names) >= 4
    assert all(style.description for style in styles)


async def test_the_composer_ignores_settings_for_diffusion_and_says_so(
    stub: "RiffusionServiceAsyncStub",
) -> None:
    plain = await result_of(stub, request(0, 2))
    asked = request(0, 2)
    asked.diffusion.denoising_strength = 0.9
    result = await result_of(stub, asked)
    assert result.music == plain.music
    assert set(result.notes) - set(plain.notes) == {
        "The diffusion settings had no effect: the composer made this music without Riffusion."
    }


async def test_the_composer_has_no_adapters(stub: "RiffusionServiceAsyncStub") -> None:
    for call in (
        stub.ListAdapters(pb.ListAdaptersRequest()),
        stub.LoadAdapter(pb.LoadAdapterRequest(name="strings")),
        stub.UnloadAdapter(pb.UnloadAdapterRequest(name="strings")),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert refused.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert refused.value.details() == "the engine composer has no adapters"


def _gap() -> pb.GenerateRequest:
    asked = request(0, 5, 10)
    asked.timeline.spans[1].span.start.FromSeconds(6)
    return asked


def _overlap() -> pb.GenerateRequest:
    asked = request(0, 5, 10)
    asked.timeline.spans[1].span.start.FromSeconds(4)
    return asked


def _changed(change: pb.GenerateRequest) -> pb.GenerateRequest:
    asked = request(0, 5, 10)
    asked.MergeFrom(change)
    return asked


def _diffusion(**settings: Any) -> pb.GenerateRequest:
    return _changed(pb.GenerateRequest(diffusion=pb.DiffusionSettings(**settings)))


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (_gap(), "timeline.spans[1]"),
        (_overlap(), "timeline.spans[1]"),
        (_changed(pb.GenerateRequest(cue=pb_span(0, 10.5))), "cue"),
        (_changed(pb.GenerateRequest(cue=media_pb2.Span(start=seconds_to_pb(10)))), "cue"),
        (_changed(pb.GenerateRequest(style="polka")), "style"),
        (_changed(pb.GenerateRequest(sample_rate_hz=22050)), "sample_rate_hz"),
        (_changed(pb.GenerateRequest(random_seed=2**53)), "random_seed"),
        (_diffusion(denoising_strength=-0.1), "diffusion.denoising_strength"),
        (_diffusion(steps=0), "diffusion.steps"),
        (_diffusion(alpha=float("nan")), "diffusion.alpha"),
        (_diffusion(adapters=[pb.Adapter(name="a"), pb.Adapter(name="a")]), "diffusion.adapters[1].name"),
        (_diffusion(adapters=[pb.Adapter(name=str(i)) for i in range(5)]), "diffusion.adapters"),
        (_changed(pb.GenerateRequest(speech_spans=[pb_span(3, 4), pb_span(1, 2)])), "speech_spans[1]"),
        (pb.GenerateRequest(cue=pb_span(0, 1)), "timeline.duration"),
    ],
)
async def test_a_request_that_cannot_be_met_names_the_field(
    stub: "RiffusionServiceAsyncStub", asked: pb.GenerateRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await result_of(stub, asked)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert (refused.value.details() or "").startswith(f"{field}: ")


def test_a_missing_soundfont_is_named_at_start(tmp_path: Path) -> None:
    settings = Settings(store_url=f"file://{tmp_path}/store", soundfont=tmp_path / "none.sf2")
    with pytest.raises(RuntimeError, match="fluid-soundfont-gm"):
        build(settings).load()
