"""From an artifact to a transcript, whichever the engine."""

from collections.abc import Callable

from etbgm_kit.captions import read_captions
from etbgm_kit.errors import InvalidField
from etbgm_kit.store import ArtifactStore
from etbgm_kit.types import EngineInfo, Segment, Transcript
from etbgm_stt.audio import open_audio
from etbgm_stt.recogniser import Recogniser
from etbgm_stt.types import Answer, CaptionsQuestion, Question

MAX_CAPTIONS_BYTES = 8 << 20
"""Captions of a day of talk are smaller."""


class Transcriber:
    """Answers questions with `recogniser`, on sound and captions from `store`."""

    def __init__(self, store: ArtifactStore, recogniser: Recogniser) -> None:
        self._store, self._recogniser = store, recogniser

    @property
    def engine(self) -> EngineInfo:
        """What recognises."""
        return self._recogniser.engine

    def transcribe(
        self, question: Question, on_progress: Callable[[float], None], on_segment: Callable[[Segment], None]
    ) -> Answer:
        """The transcript; segments are handed to `on_segment` in order of time as they are found.

        Both functions may raise to stop the work. Raises InvalidField, NotFound, NotReady.
        """
        language = self._recogniser.language_of(question.language)
        segments = []
        with self._store.borrow(question.audio, "audio") as path, open_audio(path) as audio:
            for heard in self._recogniser.recognise(audio.blocks(), language):
                if heard.segment:
                    segments.append(heard.segment)
                    on_segment(heard.segment)
                on_progress(min(1.0, heard.until_s / audio.duration_s) if audio.duration_s else 1.0)
        transcript = Transcript(tuple(segments), language)
        return Answer(transcript, self.engine, self._recogniser.notes(transcript))

    def import_captions(self, question: CaptionsQuestion) -> Transcript:
        """What the captions say. Raises InvalidField, NotFound."""
        if question.captions.size_bytes > MAX_CAPTIONS_BYTES:
            raise InvalidField("captions", f"must be at most {MAX_CAPTIONS_BYTES} bytes")
        try:
            text = self._store.read(question.captions, "captions").decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidField("captions", f"is not UTF-8: {error.reason} at byte {error.start}") from error
        return read_captions(text, question.language, question.duration_s)
