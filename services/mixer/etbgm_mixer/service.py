"""The mixer's operations: fetch artifacts from the store, process them, store the results."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.artifacts.scratch import Scratch
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import InvalidField, NotReady
from etbgm_kit.ranges import check_range
from etbgm_kit.types import Artifact, EngineInfo, Span
from etbgm_mixer.loudness import SAMPLE_RATE_HZ
from etbgm_mixer.media import audio_tracks, channels, clock, containers, extract, ffmpeg, mux, subtitles
from etbgm_mixer.media.probe import Limits, check_limits
from etbgm_mixer.media.tracks import Listing
from etbgm_mixer.mixing import music_bed
from etbgm_mixer.mixing.excerpt import LONGEST_S, mix_excerpt
from etbgm_mixer.mixing.gains import Levels
from etbgm_mixer.mixing.mix import Mix, Parts, levels_of, music_levels_of
from etbgm_mixer.mixing.music_bed import PlacedCue
from etbgm_mixer.mixing.render import Target, render
from etbgm_mixer.once import Once
from etbgm_mixer.picture.watch import watch
from etbgm_mixer.separation import removed, separate
from etbgm_mixer.separation.separator import Separator
from etbgm_mixer.types import (
    DEFAULT_TRACKS,
    CaptionTrack,
    Container,
    Extracted,
    MediaFacts,
    Mixed,
    MixRequest,
    OnProgress,
    OriginalAudio,
    Seen,
    Separated,
    TrackChoice,
)

STEMS_KEPT, BEDS_KEPT = 4, 8
"""Measured stems and music to cache (1.6 kB per second of sound): for the jobs whose variants are being
mixed, and for remixes of them."""

PREVIEW_TYPE = "audio/mp4"


class MixerService:
    """Probes, extracts, separates and mixes. All methods block.

    `make` returns the separator and advice on better options, in sentences. It may raise
    RuntimeError.
    """

    def __init__(
        self,
        store: ArtifactStore,
        scratch: Scratch,
        limits: Limits,
        media_timeout_s: float,
        make: Callable[[], tuple[Separator, tuple[str, ...]]],
    ) -> None:
        self._store, self._scratch = store, scratch
        self._limits, self._timeout_s = limits, media_timeout_s
        self._make = make
        self._loaded: Separator | None = None
        self._revision = ""
        self._advice: tuple[str, ...] = ()
        self._stems: Once[tuple[str, int], Levels] = Once(STEMS_KEPT)
        self._beds: Once[tuple[str, int], Levels] = Once(BEDS_KEPT)
        self._listings: Once[str, Listing] = Once(STEMS_KEPT)

    def load(self) -> None:
        """Creates and loads the separator. Raises RuntimeError if a part of it or ffmpeg is missing."""
        separator, self._advice = self._make()
        separator.load()
        facts = ffmpeg.program_sha256(), separator.engine.revision
        self._revision = revision_of(__name__, "etbgm_mixer.converters", facts=facts)
        self._loaded = separator

    def revision(self) -> str:
        """Returns a hash of the mixer's code, ffmpeg and the separator. Raises NotReady before `load`."""
        if not self._revision:
            raise NotReady
        return self._revision

    @property
    def _separator(self) -> Separator:
        if self._loaded is None:
            raise NotReady
        return self._loaded

    @property
    def separator(self) -> EngineInfo:
        """The separator. Raises NotReady."""
        return self._separator.engine

    @property
    def separator_advice(self) -> tuple[str, ...]:
        """Advice on better separators, in sentences."""
        return self._advice

    def probe(self, video: Artifact, wanted: Container | None) -> tuple[MediaFacts, Container]:
        """Returns the video's facts and the container of the result."""
        with self._store.borrow(video, "video") as path, self._scratch.folder() as folder:
            _, facts = clock.steady_facts(path, folder, self._limits)
        return facts, containers.choose(facts, wanted)

    def extract(
        self, video: Artifact, on_progress: OnProgress, tracks: TrackChoice = DEFAULT_TRACKS
    ) -> Extracted:
        """Extracts the video's sound, of the chosen tracks, and captions."""
        with self._store.borrow(video, "video") as borrowed, self._scratch.folder() as folder:
            path, facts = clock.steady_facts(borrowed, folder, self._limits)
            chosen, notes = audio_tracks.choose(path, facts, tracks, self._timeout_s)
            facts = replace(facts, notes=(*facts.notes, *notes))
            audio = None
            if chosen:
                facts = audio_tracks.with_audio(facts, chosen[0])
                sound = folder / "sound.flac"
                extract.extract_audio(path, facts, sound, on_progress, self._timeout_s, chosen)
                facts = replace(facts, notes=facts.notes + channels.mend(sound))
                audio = self._store.move(sound, "audio/flac")
            captions = tuple(
                CaptionTrack(self._store.put_bytes(text.encode(), "text/vtt"), stream)
                for stream, text in subtitles.extract(path, facts, folder)
            )
        return Extracted(facts, audio, captions)

    def watch(
        self, video: Artifact, facts: MediaFacts | None, audio: Artifact | None, on_progress: OnProgress
    ) -> Seen:
        """Returns the cuts and the mood of the video's picture."""
        with ExitStack() as borrowed:
            folder = borrowed.enter_context(self._scratch.folder())
            path = borrowed.enter_context(self._store.borrow(video, "video"))
            path, facts = self._steady(path, facts, folder)
            sound = borrowed.enter_context(self._store.borrow(audio, "audio")) if audio else None
            return watch(path, facts, sound, on_progress, self._timeout_s)

    def separate(self, audio: Artifact, on_progress: OnProgress) -> Separated:
        """Separates speech from the rest; returns the audio itself if there is nothing to separate."""
        with self._store.borrow(audio, "audio") as path, self._scratch.folder() as folder:
            enhanced, speech, residual = (folder / name for name in ("enhanced.wav", "s.flac", "r.flac"))
            engine = self._separator.engine
            none = replace(engine, name="none", ingredients=())
            found = self._separator.enhance(path, enhanced, lambda share: on_progress(0.8 * share))
            if not found.speech_spans:
                return Separated(audio, None, (), none, ("No speech was found in the video's sound.",))
            if found.is_clean:
                note = "The original sound has no background to remove, so its speech was used unchanged."
                return Separated(audio, None, found.speech_spans, none, (note,))
            loud_s = separate.split(
                path, enhanced, found.speech_spans, speech, residual, lambda s: on_progress(0.8 + 0.2 * s)
            )
            stems = self._store.move(speech, "audio/flac"), self._store.move(residual, "audio/flac")
        return Separated(*stems, found.speech_spans, engine, removed.notes(loud_s))

    def mix(
        self,
        request: MixRequest,
        on_progress: OnProgress,
        on_preview: Callable[[Artifact], None] = lambda _: None,
    ) -> Mixed:
        """Returns the finished video and its parts; `on_preview` receives its sound before."""
        with ExitStack() as borrowed:
            folder = borrowed.enter_context(self._scratch.folder())
            video = borrowed.enter_context(self._store.borrow(request.video, "video"))
            video, facts = self._steady(video, request.facts, folder)
            container = containers.choose(facts, request.container)
            music_bed.check([cue.span for cue in request.cues], facts.duration_s)
            parts, notes = self._parts(request, facts.duration_s, borrowed, on_progress)
            listing = self._listings.get(request.video.sha256, lambda: ffmpeg.inspect(video, self._timeout_s))
            target = Target(video, facts, container, folder, self._timeout_s, listing)
            mixed = self._rendered(Mix(parts, request.settings), target, on_progress, on_preview)
            return replace(mixed, report=replace(mixed.report, notes=(*notes, *mixed.report.notes)))

    def excerpt(
        self, request: MixRequest, span: Span, music: Artifact | None, on_progress: OnProgress
    ) -> Artifact:
        """Returns [span) of the mix, with `music` there if it is not None; does not read the video."""
        if request.facts is None:
            raise InvalidField("mix.facts", "are missing, or of another release")
        duration_s = request.facts.duration_s
        check_range("span", span.duration_s, 0.1, LONGEST_S)
        if span.end_s > duration_s + 0.1:
            raise InvalidField("span", f"must end at {duration_s:.3f} s, the video's end, at the latest")
        music_bed.check([cue.span for cue in request.cues], duration_s)
        with ExitStack() as borrowed:
            folder = borrowed.enter_context(self._scratch.folder())
            new = borrowed.enter_context(self._store.borrow(music, "music")) if music else None
            parts, _ = self._parts(request, duration_s, borrowed, on_progress)
            mixed = mix_excerpt(parts, request.settings, span, new, on_progress)
            preview = folder / "excerpt.m4a"
            with mux.encoder(preview, self._timeout_s) as encode:
                encode(mixed)
            return self._store.move(preview, PREVIEW_TYPE)

    def _rendered(
        self, mix: Mix, target: Target, on_progress: OnProgress, on_preview: Callable[[Artifact], None]
    ) -> Mixed:
        previews: list[Artifact] = []

        def keep_preview(path: Path) -> None:
            previews.append(self._store.put(path, PREVIEW_TYPE))
            on_preview(previews[-1])

        rendered = render(mix, target, on_progress, keep_preview)
        return Mixed(
            video=self._store.move(rendered.video, containers.MEDIA_TYPES[target.container]),
            preview=previews[-1],
            music=self._store.move(rendered.music, "audio/flac"),
            waveform=self._store.put_bytes(rendered.waveform, "application/json"),
            levels=self._store.put_bytes(rendered.levels, "application/json"),
            report=rendered.report,
            container=target.container,
        )

    def _parts(
        self, request: MixRequest, duration_s: float, borrowed: ExitStack, on_progress: OnProgress
    ) -> tuple[Parts, tuple[str, ...]]:
        """Borrows what is mixed, and measures it; also returns notes about the voice."""
        cues = [
            PlacedCue(borrowed.enter_context(self._store.borrow(cue.music, f"cues[{i}].music")), cue.span)
            for i, cue in enumerate(request.cues)
        ]
        voice, notes = _voice(request)
        ambience = _ambience(request)
        path = borrowed.enter_context(self._store.borrow(voice, "speech")) if voice else None
        under = borrowed.enter_context(self._store.borrow(ambience, "residual")) if ambience else None
        levels = self._levels("speech", voice, path, duration_s, on_progress)
        under_levels = self._levels("residual", ambience, under, duration_s, on_progress)
        bed = " ".join(f"{cue.music.sha256}@{cue.span.start_s}" for cue in request.cues)
        length = _samples(duration_s)
        music = self._beds.get((bed, length), lambda: music_levels_of(cues, length, on_progress))
        spans, bars = request.speech_spans, request.bars
        return Parts(path, cues, spans, duration_s, levels, under, under_levels, bars, music), notes

    def _steady(self, video: Path, facts: MediaFacts | None, folder: Path) -> tuple[Path, MediaFacts]:
        """Returns the file to read and its facts: those given, or those of a probe."""
        if facts is None:
            return clock.steady_facts(video, folder, self._limits)
        check_limits(facts, self._limits)
        return clock.steady_file(video, folder, facts), facts

    def _levels(
        self,
        field: str,
        stem: Artifact | None,
        path: Path | None,
        duration_s: float,
        on_progress: OnProgress,
    ) -> Levels | None:
        """Returns a stem's levels, which the mixes of all variants share; None without a stem."""
        if stem is None:
            return None
        length = _samples(duration_s)
        return self._stems.get((stem.sha256, length), lambda: levels_of(field, path, length, on_progress))


def _samples(duration_s: float) -> int:
    return round(duration_s * SAMPLE_RATE_HZ)


def _voice(request: MixRequest) -> tuple[Artifact | None, tuple[str, ...]]:
    """Returns the sound to mix with the music, or None and notes that give the reason."""
    if request.settings.original_audio is OriginalAudio.NONE:
        return None, ()
    if request.audio is None:
        return None, ("The video has no sound of its own, so the result contains music only.",)
    if request.settings.original_audio is OriginalAudio.KEEP:
        return request.audio, ()
    if not _speaks(request):
        rest = "" if request.settings.ambience_db is None else " and the lowered original sound"
        return None, (f"No speech was found, so the result contains music{rest or ' only'}.",)
    return request.speech, ()


def _ambience(request: MixRequest) -> Artifact | None:
    """Returns the sound to keep, lowered, besides the speech: all sound if nobody speaks."""
    if request.settings.ambience_db is None:
        return None
    return request.residual if _speaks(request) else request.audio


def _speaks(request: MixRequest) -> bool:
    return request.speech is not None and bool(request.speech_spans)
