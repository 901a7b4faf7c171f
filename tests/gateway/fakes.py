"""Fake engines behind real gRPC servers, all in one process.

    python -m tests.gateway.fakes FOLDER STORE_URL [NAME…]

A fake video is JSON text that says what it holds: {"duration_s": 10, "audio": true,
"speech": true, "subtitles": [{"language": "en"}], "fail": "", "ingredients": []}. In FOLDER the
servers note each call (`calls`), each result that was computed and stored (`computed`), and their
addresses (`addresses`), and hold a method's calls while a file `hold.METHOD` is there.

A name that is given several times is a service with as many replicas, whose addresses are separated by
commas. In the environment, FAKE_PACE_S is how long each call works (0), FAKE_SLOTS how many work at once
at a replica (8), and FAKE_WAITING how many wait there (8).
"""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from google.protobuf import json_format

from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2, mixer_pb2_grpc
from etbgm.riffusion.v1 import riffusion_pb2, riffusion_pb2_grpc
from etbgm.sentiment.v1 import sentiment_pb2, sentiment_pb2_grpc
from etbgm.stt.v1 import stt_pb2, stt_pb2_grpc
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import artifact_from_pb, seconds_from_pb, seconds_to_pb
from etbgm_kit.errors import InvalidField
from etbgm_kit.serving.runner import Runner
from etbgm_kit.serving.server import Server, Service
from etbgm_kit.serving.settings import ServiceSettings
from tests.gateway.fake_engine import SLOTS, WAITING, FakeEngine, Report

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


def _engine(name: str) -> media_pb2.Engine:
    return media_pb2.Engine(name=name, revision="fake-1", device="cpu")


def _facts(video: dict[str, Any]) -> mixer_pb2.MediaFacts:
    return mixer_pb2.MediaFacts(
        duration=seconds_to_pb(video["duration_s"]),
        container="mov,mp4",
        video=mixer_pb2.VideoStream(codec="h264", frame_rate=25),
        subtitles=[mixer_pb2.SubtitleStream(**track) for track in video.get("subtitles", [])],
    )


class FakeMixer(mixer_pb2_grpc.MixerServiceServicer):
    """Knows what a fake video holds."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def Probe(self, request: mixer_pb2.ProbeRequest, context: Context) -> mixer_pb2.ProbeResponse:
        self._engine.note("Probe")
        await asyncio.to_thread(self._engine.hold, "Probe", lambda _: None)
        video = await asyncio.to_thread(self._engine.read, request.video, "video")
        if request.container == "webm":
            raise InvalidField("container", "webm cannot hold h264; mp4 can")
        return mixer_pb2.ProbeResponse(facts=_facts(video), container=request.container or "mp4")

    async def Extract(
        self, request: mixer_pb2.ExtractRequest, context: Context
    ) -> AsyncIterator[mixer_pb2.ExtractResponse]:
        self._engine.note("Extract")

        def work(report: Report) -> mixer_pb2.ExtractResult:
            video = self._engine.read(request.video, "video")
            self._engine.hold("Extract", report)
            if video.get("fail"):
                raise InvalidField("video", video["fail"])
            result = mixer_pb2.ExtractResult(facts=_facts(video))
            if video.get("audio", True):
                result.audio.CopyFrom(self._engine.put(json.dumps(video), "audio/flac"))
            for track in result.facts.subtitles:
                if track.language != "blank":
                    captions = self._engine.put(f"WEBVTT in {track.language}", "text/vtt")
                    result.caption_tracks.add(captions=captions, stream=track)
            return result

        async for response in self._engine.calls.stream(request, mixer_pb2.ExtractResponse, work):
            yield response

    async def Separate(
        self, request: mixer_pb2.SeparateRequest, context: Context
    ) -> AsyncIterator[mixer_pb2.SeparateResponse]:
        self._engine.note("Separate")

        def work(report: Report) -> mixer_pb2.SeparateResult:
            video = self._engine.read(request.audio, "audio")
            self._engine.hold("Separate", report)
            result = mixer_pb2.SeparateResult(speech=request.audio, engine=_engine("deepfilternet"))
            json_format.ParseDict({"ingredients": video.get("ingredients", [])}, result.engine)
            result.residual.CopyFrom(self._engine.put("the rest", "audio/flac"))
            result.notes.extend(video.get("separation_notes", []))
            if video.get("speech", True):
                result.speech_spans.add(start=seconds_to_pb(1), end=seconds_to_pb(video["duration_s"] - 1))
            return result

        async for response in self._engine.calls.stream(request, mixer_pb2.SeparateResponse, work):
            yield response

    async def AnalyzePicture(
        self, request: mixer_pb2.AnalyzePictureRequest, context: Context
    ) -> mixer_pb2.AnalyzePictureResponse:
        self._engine.note("AnalyzePicture")
        if (await asyncio.to_thread(self._engine.read, request.video, "video")).get("old"):
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")

        def work(report: Report) -> mixer_pb2.AnalyzePictureResponse:
            video = self._engine.read(request.video, "video")
            self._engine.hold("AnalyzePicture", report)
            return json_format.ParseDict(video.get("picture", {}), mixer_pb2.AnalyzePictureResponse())

        return await self._engine.calls.unary(request, mixer_pb2.AnalyzePictureResponse, work)

    async def Mix(
        self, request: mixer_pb2.MixRequest, context: Context
    ) -> AsyncIterator[mixer_pb2.MixResponse]:
        self._engine.note("Mix")

        def work(report: Callable[[Any], None]) -> mixer_pb2.MixResult:
            self._engine.hold("Mix", report)
            self._engine.note("Mix computed")
            if request.cues[0].span.start.ToNanoseconds():
                raise InvalidField("cues", "leave a gap")
            cues = "+".join(cue.music.sha256 for cue in request.cues)
            sound = f"sound of {cues} at {request.settings.target_loudness_lufs:g}"
            preview = self._engine.put(sound, "audio/mp4")
            report(mixer_pb2.MixPreview(audio=preview))
            self._engine.hold("Mix.video", report)
            levels = {"step_s": 0.1, "speech_lufs": [-16.0, None], "music_lufs": [-24.0, -30.0]}
            report_ = mixer_pb2.MixReport(integrated_loudness_lufs=-14, true_peak_dbtp=-1.2)
            if request.HasField("residual"):
                report_.notes.append(f"Residual at {request.settings.ambience_db:g} dB.")
            return mixer_pb2.MixResult(
                video=self._engine.put(f"video with {cues}", "video/mp4"),
                music=self._engine.put(f"music of {cues}", "audio/flac"),
                levels=self._engine.put(json.dumps(levels), "application/json"),
                report=report_,
                container="mp4",
                preview=preview,
                waveform=self._engine.put(f"waveform of {cues}", "application/json"),
            )

        async for response in self._engine.calls.stream(request, mixer_pb2.MixResponse, work):
            yield response

    async def MixExcerpt(
        self, request: mixer_pb2.MixExcerptRequest, context: Context
    ) -> mixer_pb2.MixExcerptResponse:
        self._engine.note("MixExcerpt")

        def work(report: Report) -> mixer_pb2.MixExcerptResponse:
            self._engine.hold("MixExcerpt", report)
            music = request.music.sha256 or "+".join(cue.music.sha256 for cue in request.mix.cues)
            audio = self._engine.put(f"excerpt of {music}", "audio/mp4")
            return mixer_pb2.MixExcerptResponse(audio=audio)

        return await self._engine.calls.unary(request, mixer_pb2.MixExcerptResponse, work)

    async def GetSeparator(
        self, request: mixer_pb2.GetSeparatorRequest, context: Context
    ) -> mixer_pb2.GetSeparatorResponse:
        return mixer_pb2.GetSeparatorResponse(engine=_engine("deepfilternet"))


class FakeStt(stt_pb2_grpc.SpeechToTextServiceServicer):
    """Always hears the same."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def Transcribe(
        self, request: stt_pb2.TranscribeRequest, context: Context
    ) -> AsyncIterator[stt_pb2.TranscribeResponse]:
        self._engine.note("Transcribe")

        def work(report: Report) -> stt_pb2.TranscribeResult:
            self._engine.hold("Transcribe", report)
            transcript = media_pb2.Transcript(segments=[_segment("unmistakable words")], language="en")
            said = transcript.segments[0]
            said.words.extend(media_pb2.Word(span=said.span, text=text) for text in said.text.split())
            english = media_pb2.Transcript(segments=[_segment("words in English")], language="en")
            return stt_pb2.TranscribeResult(
                transcript=transcript,
                translation=english if request.translate else None,
                engine=_engine("faster-whisper"),
                notes=[f"Written for readers of {' '.join(request.readable_languages) or 'any language'}."],
            )

        async for response in self._engine.calls.stream(request, stt_pb2.TranscribeResponse, work):
            yield response

    async def ImportCaptions(
        self, request: stt_pb2.ImportCaptionsRequest, context: Context
    ) -> stt_pb2.ImportCaptionsResponse:
        self._engine.note("ImportCaptions")
        stored = self._engine.store.read(artifact_from_pb(request.captions, "captions"), "captions")
        text = f"captions of {seconds_from_pb(request.duration):g} s: {stored.decode()}"
        return stt_pb2.ImportCaptionsResponse(
            transcript=media_pb2.Transcript(
                segments=[] if b"blank" in stored else [_segment(text)], language=request.language or "en"
            ),
            notes=["The captions were imported."],
        )

    async def GetRecognizer(
        self, request: stt_pb2.GetRecognizerRequest, context: Context
    ) -> stt_pb2.GetRecognizerResponse:
        return stt_pb2.GetRecognizerResponse(engine=_engine("faster-whisper"), languages=["en", "ko"])


class FakeSentiment(sentiment_pb2_grpc.SentimentServiceServicer):
    """Joy, then sadness; an excited voice where there is speech to hear; fear if there is only a picture."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def GetClassifier(
        self, request: sentiment_pb2.GetClassifierRequest, context: Context
    ) -> sentiment_pb2.GetClassifierResponse:
        return sentiment_pb2.GetClassifierResponse(engine=_engine("fake classifier"), languages=["en"])

    async def Analyze(
        self, request: sentiment_pb2.AnalyzeRequest, context: Context
    ) -> sentiment_pb2.AnalyzeResponse:
        self._engine.note("Analyze")

        def work(report: Report) -> sentiment_pb2.AnalyzeResponse:
            self._engine.hold("Analyze", report)
            middle = seconds_to_pb(seconds_from_pb(request.duration) / 2)
            first, second = media_pb2.Span(end=middle), media_pb2.Span(start=middle, end=request.duration)
            joy = media_pb2.EmotionSpan(span=first, emotion=media_pb2.EMOTION_JOY, probability=0.9)
            sadness = media_pb2.EmotionSpan(span=second, emotion=media_pb2.EMOTION_SADNESS, probability=0.8)
            arousal = 0.75 if request.HasField("speech") else None
            if arousal:
                self._engine.read(request.speech, "speech")
                joy.arousal = arousal
            return sentiment_pb2.AnalyzeResponse(
                phrases=[
                    sentiment_pb2.Phrase(text=segment.text, span=segment.span, arousal=arousal)
                    for segment in request.transcript.segments
                ],
                timeline=media_pb2.EmotionTimeline(duration=request.duration, spans=[joy, sadness]),
                engine=_engine("e5"),
            )

        if not request.transcript.segments:
            return _afraid(request)
        return await self._engine.calls.unary(request, sentiment_pb2.AnalyzeResponse, work)


class FakeRiffusion(riffusion_pb2_grpc.RiffusionServiceServicer):
    """Writes down what it was asked for in place of music."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def Generate(
        self, request: riffusion_pb2.GenerateRequest, context: Context
    ) -> AsyncIterator[riffusion_pb2.GenerateResponse]:
        self._engine.note("Generate")

        def work(report: Report) -> riffusion_pb2.GenerateResult:
            self._engine.hold("Generate", report)
            self._engine.note("Generate computed")
            names = ("lead", "bass") if request.stems else ()
            sounds = {name: self._engine.put(f"{name} {request.random_seed}", "audio/flac") for name in names}
            return riffusion_pb2.GenerateResult(
                music=self._engine.put(f"{request.random_seed} {request.style} {request.cue}", "audio/flac"),
                picture=self._engine.put(f"picture of {request.random_seed}", "image/png"),
                stems=[riffusion_pb2.Stem(name=name, sound=sound) for name, sound in sounds.items()],
                midi=self._engine.put(f"{request.random_seed}", "audio/midi"),
                style="ambient",
                engine=_engine("composer"),
                notes=[f"Denoised by {request.diffusion.denoising_strength:g}."]
                if request.HasField("diffusion")
                else [],
            )

        async for response in self._engine.calls.stream(request, riffusion_pb2.GenerateResponse, work):
            yield response

    async def GetMusicEngine(
        self, request: riffusion_pb2.GetMusicEngineRequest, context: Context
    ) -> riffusion_pb2.GetMusicEngineResponse:
        return riffusion_pb2.GetMusicEngineResponse(engine=_engine("composer"))

    async def ListStyles(
        self, request: riffusion_pb2.ListStylesRequest, context: Context
    ) -> riffusion_pb2.ListStylesResponse:
        style = riffusion_pb2.Style(name="ambient", description="Long sounds.")
        return riffusion_pb2.ListStylesResponse(styles=[style])

    async def ReadStyle(
        self, request: riffusion_pb2.ReadStyleRequest, context: Context
    ) -> riffusion_pb2.ReadStyleResponse:
        if request.style != "calm piano":
            raise InvalidField("style", f'does not know "{request.style}"')
        return riffusion_pb2.ReadStyleResponse(style="auto", arousal=-0.6, instruments=["piano"], drums=True)


def _afraid(request: sentiment_pb2.AnalyzeRequest) -> sentiment_pb2.AnalyzeResponse:
    """Fear, as only a picture shows it."""
    span = media_pb2.EmotionSpan(
        span=media_pb2.Span(end=request.duration),
        emotion=media_pb2.EMOTION_FEAR,
        probability=0.4,
        evidence=[media_pb2.EVIDENCE_PICTURE],
    )
    timeline = media_pb2.EmotionTimeline(duration=request.duration, spans=[span])
    return sentiment_pb2.AnalyzeResponse(timeline=timeline)


def _segment(text: str) -> media_pb2.Segment:
    return media_pb2.Segment(
        span=media_pb2.Span(start=seconds_to_pb(1), end=seconds_to_pb(2)), text=text, confidence=0.9
    )


FAKES: dict[str, tuple[Callable[[FakeEngine], Any], Callable[[Any, grpc.aio.Server], None]]] = {
    "mixer": (FakeMixer, mixer_pb2_grpc.add_MixerServiceServicer_to_server),
    "stt": (FakeStt, stt_pb2_grpc.add_SpeechToTextServiceServicer_to_server),
    "sentiment": (FakeSentiment, sentiment_pb2_grpc.add_SentimentServiceServicer_to_server),
    "riffusion": (FakeRiffusion, riffusion_pb2_grpc.add_RiffusionServiceServicer_to_server),
}


async def serve(folder: Path, store_url: str, names: Sequence[str]) -> None:
    """Runs those of `names`, or all four, until standard input closes."""
    store = ArtifactStore(store_url, Scratch(folder / "scratch"))
    settings = ServiceSettings(store_url=store_url, listen_address="127.0.0.1:0", drain_s=0)
    servers, found = [], defaultdict(list)
    for replica, name in enumerate(names or FAKES):
        runner = Runner(SLOTS, WAITING)
        fake, add = FAKES[name]
        add_to = partial(add, fake(FakeEngine(folder, store, runner, replica)))
        server = Server(Service(name, f"fake.{name}", settings, runner, add_to))
        await server.start()
        servers.append(server)
        found[f"{name}_address"].append(f"127.0.0.1:{server.port}")
    addresses = {name: ",".join(several) for name, several in found.items()}
    arriving = folder / "addresses.part"
    arriving.write_text(json.dumps(addresses))
    arriving.replace(folder / "addresses")
    await asyncio.to_thread(sys.stdin.buffer.read)
    await asyncio.gather(*(server.stop(notice_s=0) for server in servers))


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
