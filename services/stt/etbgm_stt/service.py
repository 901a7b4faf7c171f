"""Creates a transcript from an artifact, independent of the engine."""

from collections.abc import Callable

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.artifacts.store import ArtifactStore
from etbgm_kit.errors import InvalidField, NotReady
from etbgm_kit.types import EngineInfo, Segment, Transcript
from etbgm_stt.audio import open_audio
from etbgm_stt.languages import code_of, must_translate
from etbgm_stt.recogniser import Recogniser
from etbgm_stt.types import UNDETERMINED, ImportCaptionsRequest, Language, TranscribeRequest, Transcription

UNTRANSLATED = (
    "The emotions may be wrong: the emotion classifier does not know the transcript's language ({}), and "
    "this Whisper model cannot translate. `etbgm models pull whisper-small` installs one that can."
)

MAX_CAPTIONS_BYTES = 8 << 20
"""More than the captions of a full day of speech."""


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
        recogniser, segments = self._loaded, []
        language, done = Language(UNDETERMINED), 0.0
        with self._store.borrow(request.audio, "audio") as path, open_audio(path) as audio:
            for recognised in recogniser.recognise(audio.blocks(), request.language, request.readable):
                if isinstance(recognised, Language):
                    language = recognised
                    continue
                if recognised.segment:
                    segments.append(recognised.segment)
                    on_segment(recognised.segment)
                # Segments arrive slightly late, so their `until_s` may be less than that of a silent block.
                done = max(done, min(1.0, recognised.until_s / audio.duration_s) if audio.duration_s else 1.0)
                on_progress(done)
        transcript = Transcript(tuple(segments), language.written)
        unread = must_translate(code_of(transcript.language), request.readable) and bool(segments)
        untranslated = (UNTRANSLATED.format(transcript.language),) if unread else ()
        notes = (*language.notes, *untranslated, *recogniser.notes(transcript))
        return Transcription(transcript, recogniser.engine, notes)

    def import_captions(self, request: ImportCaptionsRequest) -> Transcript:
        """Returns the transcript of the captions. Raises InvalidField, NotFound."""
        from etbgm_kit.media.captions import read_captions

        if request.captions.size_bytes > MAX_CAPTIONS_BYTES:
            raise InvalidField("captions", f"must be at most {MAX_CAPTIONS_BYTES} bytes")
        try:
            text = self._store.read(request.captions, "captions").decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidField("captions", f"is not UTF-8: {error.reason} at byte {error.start}") from error
        return read_captions(text, request.language, request.duration_s)

    def close(self) -> None:
        """Stops everything that `load` started."""
        if self._recogniser:
            self._recogniser.close()

    @property
    def _loaded(self) -> Recogniser:
        if self._recogniser is None:
            raise NotReady
        return self._recogniser
