"""The stage TRANSCRIBE: captions that say something, or else speech recognition."""

from collections.abc import Sequence

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.sentiment.v1 import sentiment_pb2
from etbgm.stt.v1 import stt_pb2
from etbgm_gateway.pipeline import pictures
from etbgm_gateway.pipeline.captions import choose, language_of, tracks_of
from etbgm_gateway.pipeline.steps import Steps
from etbgm_gateway.upstream.clients import Clients
from etbgm_kit.languages import UNDETERMINED, is_readable

STAGE = gateway_pb2.STAGE_TRANSCRIBE

_SUBTITLES_USED = "The subtitles in the video replaced speech recognition; ignore_subtitles turns this off."
_GIVEN_BLANK = (
    "The given captions contain no words within the video's length, so speech recognition replaced them."
)
_SUBTITLES_BLANK = (
    "The subtitles in the video contain no words that can be read, so speech recognition replaced them."
)
_SUBTITLES_FOREIGN = (
    "The emotion classifier does not read the language of the subtitles in the video ({}), "
    "so speech recognition replaced them."
)
_CAPTIONS_FOREIGN = (
    "The emotions may be wrong: the emotion classifier does not read {}, the language of the captions."
)
_SILENT = "No speech was found, so the music is neutral throughout."
_ONLY_SEEN = "No speech was found, so the emotions follow from the picture alone, which is weak evidence."


class Transcription:
    """The transcription of one job."""

    def __init__(self, settings: gateway_pb2.JobSettings, clients: Clients, steps: Steps) -> None:
        self._settings, self._clients, self._steps = settings, clients, steps
        self._spoken = settings.language if settings.HasField("language") else None
        self.readable: Sequence[str] = ()
        """Tags of the languages that the emotion classifier reads; empty for any."""

    async def run(
        self, media: mixer_pb2.ExtractResult, stems: mixer_pb2.SeparateResult
    ) -> stt_pb2.TranscribeResult:
        """Imports captions, given or in the video, or else transcribes the speech."""
        speaks = bool(stems.speech_spans)
        with self._steps.stage(STAGE) as timings:
            if speaks or self._settings.HasField("captions") or self._subtitled(media):
                self.readable = await self._readable_languages()
            imported = await self._captions(media, speaks)
            if imported.transcript.segments:
                return imported
            note = _ONLY_SEEN if pictures.follows_mood(self._settings) else _SILENT
            result = stt_pb2.TranscribeResult(notes=[note])
            if speaks:
                result = await self._recognise(stems.speech)
                timings.append(result.timings)
        result.notes[:] = [*imported.notes, *result.notes]
        return result

    def _subtitled(self, media: mixer_pb2.ExtractResult) -> bool:
        return bool(media.facts.subtitles) and not self._settings.ignore_subtitles

    async def _captions(self, media: mixer_pb2.ExtractResult, speaks: bool) -> stt_pb2.TranscribeResult:
        """Returns what the captions say; without segments if speech must be recognised, with the reason."""
        if self._settings.HasField("captions"):
            return await self._given(media.facts)
        if not self._subtitled(media):
            return stt_pb2.TranscribeResult()
        tracks = tracks_of(media)
        if not tracks:
            return stt_pb2.TranscribeResult(notes=[_SUBTITLES_BLANK])
        track = choose(tracks, self.readable, self._spoken)
        if track is None and speaks:
            # The recogniser translates, so that the classifier can read what is said.
            tags = dict.fromkeys(language_of(each, self._spoken) for each in tracks)
            return stt_pb2.TranscribeResult(notes=[_SUBTITLES_FOREIGN.format(", ".join(tags))])
        best = track or tracks[0]
        language = language_of(best, self._spoken)
        result = await self._import(best.captions, media.facts, language)
        result.notes.append(_SUBTITLES_USED if result.transcript.segments else _SUBTITLES_BLANK)
        if track is None:
            result.notes.append(_CAPTIONS_FOREIGN.format(language))
        return result

    async def _given(self, facts: mixer_pb2.MediaFacts) -> stt_pb2.TranscribeResult:
        language = self._spoken or UNDETERMINED
        result = await self._import(self._settings.captions, facts, language)
        if not result.transcript.segments:
            result.notes.append(_GIVEN_BLANK)
        elif language != UNDETERMINED and not is_readable(language, self.readable):
            result.notes.append(_CAPTIONS_FOREIGN.format(language))
        return result

    async def _readable_languages(self) -> Sequence[str]:
        classifier = await self._steps.unary(
            "TRANSCRIBE for whom",
            self._clients.sentiment,
            "GetClassifier",
            sentiment_pb2.GetClassifierRequest(),
            sentiment_pb2.GetClassifierResponse,
            STAGE,
        )
        return classifier.languages

    async def _import(
        self, captions: media_pb2.Artifact, facts: mixer_pb2.MediaFacts, language: str
    ) -> stt_pb2.TranscribeResult:
        """Reads captions; those in an undetermined language count as English."""
        request = stt_pb2.ImportCaptionsRequest(
            captions=captions,
            duration=facts.duration,
            language=language if language != UNDETERMINED else None,
        )
        response = await self._steps.unary(
            "TRANSCRIBE captions",
            self._clients.stt,
            "ImportCaptions",
            request,
            stt_pb2.ImportCaptionsResponse,
            STAGE,
        )
        return stt_pb2.TranscribeResult(transcript=response.transcript, notes=response.notes)

    async def _recognise(self, speech: media_pb2.Artifact) -> stt_pb2.TranscribeResult:
        translates = self._settings.speech_task == gateway_pb2.SPEECH_TASK_TRANSLATE
        request = stt_pb2.TranscribeRequest(
            audio=speech,
            language=self._spoken,
            readable_languages=self.readable,
            translate=self._settings.translate or translates,
        )
        return await self._steps.stream(
            "TRANSCRIBE", self._clients.stt, "Transcribe", request, stt_pb2.TranscribeResult, STAGE
        )
