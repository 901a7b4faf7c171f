"""Creates a transcript from an artifact, independent of the engine."""

from collections.abc import Callable, Sequence

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import InvalidField, NotReady
from etbgm_kit.types import EngineInfo, Segment
from etbgm_stt.audio import open_audio
from etbgm_stt.collecting import Collector
from etbgm_stt.recogniser import Recogniser
from etbgm_stt.types import ImportCaptionsRequest, ImportedCaptions, TranscribeRequest, Transcription

_GUESSED = "The captions do not state their encoding and are not UTF-8; {} was assumed."


class SpeechToTextService:
    """Transcribes sound and captions from `store` with the recogniser that `make` returns.

    `make` also returns advice on better options, in sentences. It may raise RuntimeError.
    """

    def __init__(self, store: ArtifactStore, make: Callable[[], tuple[Recogniser, tuple[str, ...]]]) -> None:
        self._store, self._make = store, make
        self._recogniser: Recogniser | None = None
        self._advice: tuple[str, ...] = ()

    def load(self) -> None:
        """Creates and loads the recogniser; until then, `engine` and `transcribe` raise NotReady."""
        recogniser, self._advice = self._make()
        recogniser.load()
        self._recogniser = recogniser

    @property
    def advice(self) -> tuple[str, ...]:
        """Advice on better recognisers, in sentences."""
        return self._advice

    @property
    def engine(self) -> EngineInfo:
        """The engine behind the results."""
        return self._loaded.engine

    @property
    def languages(self) -> Sequence[str]:
        """BCP-47 tags of the languages that the recogniser knows, in alphabetical order. Raises NotReady."""
        return self._loaded.languages

    @property
    def revision(self) -> str:
        """A hash that changes with the recogniser and the code that processes its words."""
        return revision_of(__name__, "etbgm_stt.converters", facts=self.engine.revision)

    def transcribe(
        self,
        request: TranscribeRequest,
        on_progress: Callable[[float], None],
        on_segment: Callable[[Segment], None],
    ) -> Transcription:
        """Returns the transcript; passes segments to `on_segment` in chronological order as they are found.

        Both callbacks may raise to stop the work. Raises InvalidField, NotFound, NotReady.
        """
        recogniser, collector, done = self._loaded, Collector(request), 0.0
        with self._store.borrow(request.audio, "audio") as path, open_audio(path) as audio:
            for item in recogniser.recognise(audio.blocks(), request.language, collector.needs_english):
                collector.add(item)
                for segment in item.segments:
                    on_segment(segment)
                # Segments arrive slightly late, so their `until_s` may be less than that of a silent block.
                done = max(done, min(1.0, item.until_s / audio.duration_s) if audio.duration_s else 1.0)
                on_progress(done)
        return collector.finish(recogniser.engine)

    def import_captions(self, request: ImportCaptionsRequest) -> ImportedCaptions:
        """Returns the transcript of the captions. Raises InvalidField, NotFound."""
        from etbgm_kit.media.caption_encoding import decode
        from etbgm_kit.media.captions import MOST_BYTES, read_captions

        if request.captions.size_bytes > MOST_BYTES:
            raise InvalidField("captions", f"must be at most {MOST_BYTES} bytes")
        decoded = decode(self._store.read(request.captions, "captions"), request.language)
        transcript = read_captions(decoded.text, request.language, request.duration_s)
        notes = (_GUESSED.format(decoded.guessed),) if decoded.guessed else ()
        return ImportedCaptions(transcript, notes)

    def close(self) -> None:
        """Stops everything that `load` started."""
        if self._recogniser:
            self._recogniser.close()

    @property
    def _loaded(self) -> Recogniser:
        if self._recogniser is None:
            raise NotReady
        return self._recogniser
