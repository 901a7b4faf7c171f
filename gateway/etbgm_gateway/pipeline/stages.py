"""The six stages of one job: the calls that each makes and their requests.

Each stage is one or more durable steps; a stage with nothing to do has none.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from google.protobuf.message import Message

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm.sentiment.v1 import sentiment_pb2
from etbgm.stt.v1 import stt_pb2
from etbgm_gateway.pipeline import cues, pictures, timelines
from etbgm_gateway.pipeline.changes import Parent
from etbgm_gateway.pipeline.excerpts import Excerpts
from etbgm_gateway.pipeline.pieces import Piece, pieces_of
from etbgm_gateway.pipeline.requests import cue_request, mix_request, mixing_request, music_request
from etbgm_gateway.pipeline.steps import StageFailed, Steps, together
from etbgm_gateway.pipeline.transcription import Transcription
from etbgm_gateway.pipeline.transcripts import clipped, readable_by
from etbgm_gateway.pipeline.transport import Transport
from etbgm_gateway.results.assemble import Made, MusicBed, Results
from etbgm_gateway.upstream.clients import Clients
from etbgm_gateway.upstream.errors import MethodMissing
from etbgm_kit.converters import seconds_from_pb, timeline_from_pb, timeline_to_pb
from etbgm_kit.serving.status import reason_of
from etbgm_kit.types import Span

Stage = gateway_pb2.Stage


class Stages:
    """The stages of the pipeline, for one job."""

    def __init__(
        self,
        request: gateway_pb2.CreateJobRequest,
        clients: Clients,
        steps: Steps,
        results: Results,
        transport: Transport,
        parent: Parent | None = None,
    ) -> None:
        """`parent`: the job that this one is a remix of, if its changes are to be heard first."""
        self._transport, self._excerpts = transport, Excerpts(parent, clients, steps) if parent else None
        self._video, self._settings = request.video, request.settings
        self._clients, self._steps, self._results = clients, steps, results
        self._transcription = Transcription(request.settings, clients, steps)

    async def ingest(self) -> mixer_pb2.ExtractResult:
        """Fetches the video if it is elsewhere, and extracts facts, sound and captions from it."""
        tracks = self._settings.audio_tracks if self._settings.HasField("audio_tracks") else None
        with self._steps.stage(Stage.STAGE_INGEST) as timings:
            if self._transport.is_awaited:
                self._video = await self._transport.fetch(self._steps)
            request = mixer_pb2.ExtractRequest(video=self._video, audio_tracks=tracks)
            result = await self._steps.stream(
                "INGEST", self._clients.mixer, "Extract", request, mixer_pb2.ExtractResult, Stage.STAGE_INGEST
            )
            timings.append(result.timings)
            duration_s = seconds_from_pb(result.facts.duration)
            self._steps.allow_for(duration_s)
            if self._transport.is_awaited:
                await self._transport.accept(self._video, duration_s)
        return result

    @asynccontextmanager
    async def watching(
        self, media: mixer_pb2.ExtractResult
    ) -> AsyncIterator["asyncio.Task[mixer_pb2.AnalyzePictureResponse]"]:
        """Looks for the cuts and the mood of the picture while the context lasts."""
        watched = asyncio.create_task(self._watch(media))
        try:
            yield watched
        finally:
            watched.cancel()
            await asyncio.wait([watched])

    async def separate(self, media: mixer_pb2.ExtractResult) -> mixer_pb2.SeparateResult:
        """Separates the sound into speech and the rest."""
        request = mixer_pb2.SeparateRequest(audio=media.audio)
        with self._steps.stage(Stage.STAGE_SEPARATE) as timings:
            if not media.HasField("audio"):
                return mixer_pb2.SeparateResult(notes=["The video has no sound of its own."])
            separator, stage = self._clients.separator, Stage.STAGE_SEPARATE
            result = await self._steps.stream(
                "SEPARATE", separator, "Separate", request, mixer_pb2.SeparateResult, stage
            )
            timings.append(result.timings)
        return result

    async def transcribe(
        self, media: mixer_pb2.ExtractResult, stems: mixer_pb2.SeparateResult
    ) -> stt_pb2.TranscribeResult:
        """Imports captions, given or in the video, or else transcribes the speech."""
        return await self._transcription.run(media, stems)

    async def analyze(
        self,
        media: mixer_pb2.ExtractResult,
        stems: mixer_pb2.SeparateResult,
        transcribed: stt_pb2.TranscribeResult,
        seen: mixer_pb2.AnalyzePictureResponse,
    ) -> sentiment_pb2.AnalyzeResponse:
        """Turns transcript, voice and picture into an emotion timeline, unless one is given."""
        transcript = readable_by(transcribed, self._transcription.readable)
        duration_s = seconds_from_pb(media.facts.duration)
        with self._steps.stage(Stage.STAGE_ANALYZE) as timings:
            if self._settings.HasField("timeline"):
                return await asyncio.to_thread(self._given_timeline, duration_s)
            if not transcript.segments and not seen.HasField("mood"):
                return sentiment_pb2.AnalyzeResponse(timeline=timeline_to_pb(timelines.neutral(duration_s)))
            request = sentiment_pb2.AnalyzeRequest(
                transcript=clipped(transcript, duration_s),
                duration=media.facts.duration,
                smoothing=self._settings.smoothing,
                speech=stems.speech if stems.speech_spans and not self._settings.ignore_voice else None,
                picture=seen.mood if seen.HasField("mood") else None,
                speech_spans=stems.speech_spans if seen.HasField("mood") else None,
            )
            if self._settings.HasField("min_emotion_duration"):
                request.min_emotion_duration.CopyFrom(self._settings.min_emotion_duration)
            result = await self._steps.unary(
                "ANALYZE",
                self._clients.sentiment,
                "Analyze",
                request,
                sentiment_pb2.AnalyzeResponse,
                Stage.STAGE_ANALYZE,
            )
            timings += [result.timings, seen.timings]
        return result

    async def show_change(
        self,
        media: mixer_pb2.ExtractResult,
        stems: mixer_pb2.SeparateResult,
        timeline: media_pb2.EmotionTimeline,
        seen: mixer_pb2.AnalyzePictureResponse,
    ) -> None:
        """Lets the user of a remix hear the beginning of what it has changed."""
        if self._excerpts:
            music = music_request(self._settings, stems, timeline, seen)
            mix = mix_request(self._video, self._settings, media, stems)
            await self._excerpts.show(music, mix, self._settings, self._video)

    async def generate(
        self,
        stems: mixer_pb2.SeparateResult,
        timeline: media_pb2.EmotionTimeline,
        seen: mixer_pb2.AnalyzePictureResponse,
    ) -> list[MusicBed]:
        """Generates music for the timeline: all cues of all variants at the same time.

        Stems must not be split, so a bed with stems is a single cue.
        """
        whole = await asyncio.to_thread(timeline_from_pb, timeline)
        spans = (Span(0.0, whole.duration_s),) if self._settings.stems else cues.split(whole)
        pieces = pieces_of(self._settings, self._video.sha256)
        request = music_request(self._settings, stems, timeline, seen)
        self._steps.progress.cues(len(pieces) * len(spans))
        with self._steps.stage(Stage.STAGE_GENERATE, len(pieces)) as timings:
            rendered = await together(
                [
                    self._cue(self._render(request, piece, span, f"GENERATE {piece.number}.{cue}"))
                    for piece in pieces
                    for cue, span in enumerate(spans, 1)
                ]
            )
            timings.extend(cue.timings for cue in rendered)
        of_piece = [rendered[i : i + len(spans)] for i in range(0, len(rendered), len(spans))]
        return [
            MusicBed(piece.number, piece.random_seed, spans, tuple(cues_of_it))
            for piece, cues_of_it in zip(pieces, of_piece, strict=True)
        ]

    async def mix(
        self,
        media: mixer_pb2.ExtractResult,
        stems: mixer_pb2.SeparateResult,
        transcript: stt_pb2.TranscribeResult,
        analysis: sentiment_pb2.AnalyzeResponse,
        music_beds: list[MusicBed],
        seen: mixer_pb2.AnalyzePictureResponse,
    ) -> gateway_pb2.JobResult:
        """Puts speech and music under the picture, all variants at the same time, and writes the report."""
        request = mix_request(self._video, self._settings, media, stems)
        with self._steps.stage(Stage.STAGE_MIX, len(music_beds)) as timings:
            mixes = await together([self._mix(self._mixing(request, bed), bed.number) for bed in music_beds])
            timings.extend(mix.timings for mix in mixes)
            stages = self._steps.progress.stages
            made = Made(
                self._video,
                self._settings,
                media,
                stems,
                transcript,
                seen,
                analysis,
                music_beds,
                mixes,
                stages,
                self._steps.progress.hold,
            )
            return await self._finished(made)

    async def _finished(self, made: Made) -> gateway_pb2.JobResult:
        """Assembles the result, copies the chosen files and notes where they are."""
        assemble = partial(asyncio.to_thread, self._results.assemble, made)
        result = await self._steps.run("MIX result", gateway_pb2.JobResult, assemble)
        await self._transport.deliver(self._steps, result)
        return result

    async def _watch(self, media: mixer_pb2.ExtractResult) -> mixer_pb2.AnalyzePictureResponse:
        pictures.check_cuts(self._settings, seconds_from_pb(media.facts.duration))
        if not pictures.is_needed(self._settings):
            return pictures.seen(mixer_pb2.AnalyzePictureResponse(), self._settings)
        request = mixer_pb2.AnalyzePictureRequest(
            video=self._video, facts=media.facts, audio=media.audio if media.HasField("audio") else None
        )
        response, stage = mixer_pb2.AnalyzePictureResponse, Stage.STAGE_ANALYZE
        try:
            found = await self._steps.unary(
                "PICTURE", self._clients.mixer, "AnalyzePicture", request, response, stage
            )
        except StageFailed as failure:
            if reason_of(failure.status) != MethodMissing.reason:
                raise
            found = response(notes=[pictures.OLD_MIXER])
        return pictures.seen(found, self._settings)

    async def _cue(
        self, rendering: Coroutine[Any, Any, riffusion_pb2.GenerateResult]
    ) -> riffusion_pb2.GenerateResult:
        rendered = await rendering
        self._steps.progress.cue_rendered()
        return rendered

    def _render(
        self, request: riffusion_pb2.GenerateRequest, piece: Piece, span: Span, name: str
    ) -> Coroutine[Any, Any, riffusion_pb2.GenerateResult]:
        cue = cue_request(request, piece, span)
        return self._steps.stream(
            name, self._clients.riffusion, "Generate", cue, riffusion_pb2.GenerateResult, Stage.STAGE_GENERATE
        )

    async def _mix(
        self, mixing: Coroutine[Any, Any, mixer_pb2.MixResult], number: int
    ) -> mixer_pb2.MixResult:
        mixed = await mixing
        if mixed.HasField("preview"):
            self._preview(number, mixed.preview)
        return mixed

    def _preview(self, number: int, audio: media_pb2.Artifact) -> None:
        self._steps.hold(audio)
        self._steps.progress.preview(number, audio)

    def _mixing(
        self, request: mixer_pb2.MixRequest, bed: MusicBed
    ) -> Coroutine[Any, Any, mixer_pb2.MixResult]:
        mix = mixing_request(request, bed.placed, (bar for cue in bed.cues for bar in cue.bars))

        def on_part(part: Message) -> None:
            if isinstance(part, mixer_pb2.MixPreview):
                self._preview(bed.number, part.audio)

        return self._steps.stream(
            f"MIX {bed.number}",
            self._clients.mixer,
            "Mix",
            mix,
            mixer_pb2.MixResult,
            Stage.STAGE_MIX,
            on_part,
        )

    def _given_timeline(self, duration_s: float) -> sentiment_pb2.AnalyzeResponse:
        field = "settings.timeline"
        given = timelines.fitted(timeline_from_pb(self._settings.timeline, field), duration_s, field)
        return sentiment_pb2.AnalyzeResponse(timeline=timeline_to_pb(given))
