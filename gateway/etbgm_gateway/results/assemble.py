"""Assembles what a job produced: transcript files, plot, report, and the result that refers to them."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from google.protobuf.json_format import MessageToDict

from etbgm.gateway.v1 import gateway_pb2
from etbgm.media.v1 import media_pb2
from etbgm.mixer.v1 import mixer_pb2
from etbgm.riffusion.v1 import riffusion_pb2
from etbgm.sentiment.v1 import sentiment_pb2
from etbgm.stt.v1 import stt_pb2
from etbgm_gateway.results import report
from etbgm_kit.artifacts.memo import Memo
from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.converters import (
    artifact_from_pb,
    artifact_to_pb,
    span_from_pb,
    span_to_pb,
    spans_from_pb,
    timeline_from_pb,
    transcript_from_pb,
)
from etbgm_kit.models import licences
from etbgm_kit.picture_converters import cuts_from_pb, mood_from_pb
from etbgm_kit.ranges import UNSEPARATED
from etbgm_kit.types import Span

_PLOT = "etbgm_gateway.results.plot"


@dataclass(frozen=True)
class MusicBed:
    """The music of one variant: `cues` play during `spans`, which cover the video."""

    number: int
    random_seed: int
    spans: tuple[Span, ...]
    cues: tuple[riffusion_pb2.GenerateResult, ...]

    @property
    def placed(self) -> list[mixer_pb2.MusicCue]:
        """The cues with their spans."""
        placed = zip(self.cues, self.spans, strict=True)
        return [mixer_pb2.MusicCue(music=cue.music, span=span_to_pb(span)) for cue, span in placed]


@dataclass(frozen=True)
class Made:
    """Everything that the stages of a job returned; `music_beds` and `mixes` are in variant order."""

    video: media_pb2.Artifact
    settings: gateway_pb2.JobSettings
    media: mixer_pb2.ExtractResult
    stems: mixer_pb2.SeparateResult
    transcript: stt_pb2.TranscribeResult
    seen: mixer_pb2.AnalyzePictureResponse
    analysis: sentiment_pb2.AnalyzeResponse
    music_beds: list[MusicBed]
    mixes: list[mixer_pb2.MixResult]
    stages: list[gateway_pb2.StageProgress]
    hold: Callable[[Iterable[str]], None]
    """Receives the keys of further objects in the artifact store that belong to the job."""


class Results:
    """Builds results; all methods block."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store, self._memo = store, Memo(store)

    def assemble(self, made: Made) -> gateway_pb2.JobResult:
        """Stores the job's files and returns its result."""
        speaks = bool(made.stems.speech_spans)
        timeline_json = self._put(_timeline_json(made), "application/json")
        result = gateway_pb2.JobResult(
            variants=[_variant(*one) for one in zip(made.music_beds, made.mixes, strict=True)],
            speech=made.stems.speech if speaks else None,
            residual=made.stems.residual if made.stems.HasField("residual") else None,
            timeline_json=timeline_json,
            timeline_plot=self._plot(made, timeline_json),
            timeline=made.analysis.timeline,
            speech_spans=made.stems.speech_spans,
            container=made.mixes[0].container,
            engines=_engines(made),
            notes=_notes(made),
            cuts=made.seen.cuts,
            picture_mood=made.seen.mood if made.seen.HasField("mood") else None,
        )
        spoken, english = made.transcript.transcript, made.transcript.translation
        if spoken.segments:
            self._put_captions(spoken, result.transcript_srt, result.transcript_vtt)
            words = json.dumps(MessageToDict(spoken), ensure_ascii=False)
            result.transcript_json.CopyFrom(self._put(words, "application/json"))
        if english.segments:
            self._put_captions(english, result.transcript_en_srt, result.transcript_en_vtt)
        if made.settings.projects:
            self._put_projects(made, result)
        text = report.write(result, made.settings, made.video, made.media.facts, made.stages)
        result.report.CopyFrom(self._put(text, "application/json"))
        return result

    def _plot(self, made: Made, timeline_json: media_pb2.Artifact) -> media_pb2.Artifact:
        """Draws the plot, or finds that of an earlier job: drawing takes almost half of a job's time here."""
        drawn = gateway_pb2.JobResult(
            timeline_json=timeline_json,
            speech_spans=made.stems.speech_spans,
            variants=[gateway_pb2.Variant(levels=made.mixes[0].levels)],
            cuts=made.seen.cuts,
            picture_mood=made.seen.mood if made.seen.HasField("mood") else None,
        )
        revision = revision_of(_PLOT)
        found = self._memo.find(revision, drawn, media_pb2.Artifact)
        if found is None:
            found = self._draw(made)
            self._memo.keep(revision, drawn, found)
        made.hold([self._memo.key(revision, drawn)])
        return found

    def _draw(self, made: Made) -> media_pb2.Artifact:
        from etbgm_gateway.results import plot

        levels = json.loads(self._store.read(artifact_from_pb(made.mixes[0].levels)))
        png = plot.draw(
            timeline_from_pb(made.analysis.timeline),
            spans_from_pb(made.stems.speech_spans, "speech_spans"),
            _voice(made.analysis),
            plot.Levels(levels["step_s"], levels["speech_lufs"], levels["music_lufs"]),
            plot.Picture(
                cuts_from_pb(made.seen.cuts, "cuts"),
                mood_from_pb(made.seen.mood, "mood") if made.seen.HasField("mood") else None,
            ),
        )
        return artifact_to_pb(self._store.put_bytes(png, "image/png"))

    def _put_captions(
        self, transcript: media_pb2.Transcript, srt: media_pb2.Artifact, vtt: media_pb2.Artifact
    ) -> None:
        from etbgm_kit.media.caption_writing import write_srt, write_vtt

        captions = transcript_from_pb(transcript)
        srt.CopyFrom(self._put(write_srt(captions), "application/x-subrip"))
        vtt.CopyFrom(self._put(write_vtt(captions), "text/vtt"))

    def _put_projects(self, made: Made, result: gateway_pb2.JobResult) -> None:
        from etbgm_gateway.results import project

        is_spoken = made.settings.mix.original_audio not in UNSEPARATED
        for variant in result.variants:
            levels = json.loads(self._store.read(artifact_from_pb(variant.levels)))
            gains = levels.get("speech_gain_db") if is_spoken else None
            speech = project.Gain(levels["step_s"], gains) if gains else None
            text = project.write(variant, result, made.media.facts.video.frame_rate, speech)
            variant.project.CopyFrom(self._put(text, "application/x-otio+json"))

    def _put(self, text: str, media_type: str) -> media_pb2.Artifact:
        return artifact_to_pb(self._store.put_bytes(text.encode(), media_type))


def _timeline_json(made: Made) -> str:
    """Returns the analysis with the cuts and the mood of the picture."""
    document = MessageToDict(made.analysis)
    shown = gateway_pb2.JobResult(cuts=made.seen.cuts)
    if made.seen.HasField("mood"):
        shown.picture_mood.CopyFrom(made.seen.mood)
    return json.dumps(document | MessageToDict(shown), indent=2)


def _voice(analysis: sentiment_pb2.AnalyzeResponse) -> list[tuple[Span, float]]:
    """Returns the arousal of each phrase, or of each span if the timeline was given."""
    parts = analysis.phrases or analysis.timeline.spans
    return [(span_from_pb(part.span), part.arousal) for part in parts if part.HasField("arousal")]


def _variant(bed: MusicBed, mix: mixer_pb2.MixResult) -> gateway_pb2.Variant:
    whole = bed.cues[0]
    return gateway_pb2.Variant(
        number=bed.number,
        random_seed=bed.random_seed,
        style=whole.style,
        video=mix.video,
        music=mix.music,
        midi=whole.midi,
        levels=mix.levels,
        sections=whole.sections,
        report=mix.report,
        stems=whole.stems,
        picture=whole.picture,
        preview=mix.preview if mix.HasField("preview") else None,
        waveform=mix.waveform if mix.HasField("waveform") else None,
        bed=bed.placed,
    )


def _engines(made: Made) -> list[media_pb2.Engine]:
    """Returns each engine once; replicas may use different ones."""
    stages = (made.stems, made.transcript, made.analysis)
    used = [part.engine for part in stages if part.HasField("engine")]
    used += [cue.engine for bed in made.music_beds for cue in bed.cues if cue.HasField("engine")]
    return [engine for i, engine in enumerate(used) if engine not in used[:i]]


def _notes(made: Made) -> list[str]:
    """Returns the notes of the stages, in stage order, without duplicates."""
    # The notes on separation are about the result only if it contains the separated speech.
    separated = made.settings.mix.original_audio not in UNSEPARATED
    sources: list[Iterable[str]] = [made.media.facts.notes, made.stems.notes if separated else ()]
    sources += [made.transcript.notes, made.seen.notes, made.analysis.notes]
    sources += [cue.notes for bed in made.music_beds for cue in bed.cues]
    sources += [mix.report.notes for mix in made.mixes]
    sources.append(licences.warnings(_engines(made)))
    return list(dict.fromkeys(note for notes in sources for note in notes))
