"""Collects what a recogniser yields into a transcript, its translation and notes for the user."""

from collections import defaultdict

from etbgm_kit.languages import ENGLISH, UNDETERMINED, is_readable
from etbgm_kit.types import EngineInfo, Segment, Transcript
from etbgm_stt.languages import code_of
from etbgm_stt.types import Recognised, TranscribeRequest, Transcription

DOUBTFUL_PROBABILITY = 0.5
"""Probability of the language below which a note warns the user."""

OTHER_LANGUAGES_S = 3.0
"""Seconds of speech in another language that a note names."""

DOUBTFUL_S = 1.0
"""Seconds of doubtful speech that a note names."""


class Collector:
    """Everything recognised for one request."""

    def __init__(self, request: TranscribeRequest) -> None:
        self._request = request
        self._spoken: list[Segment] = []
        self._english: list[Segment] = []
        self._translated = False
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._probability: dict[str, float] = {}
        self._doubtful_s = 0.0

    def needs_english(self, tag: str) -> bool:
        """Whether speech in the language `tag` must be translated."""
        readable = is_readable(tag, self._request.readable)
        return code_of(tag) != ENGLISH and (self._request.translate or not readable)

    def add(self, recognised: Recognised) -> None:
        """Takes the next item."""
        self._doubtful_s += recognised.doubtful_s
        self._spoken += recognised.segments
        self._english += recognised.translated or recognised.segments
        self._translated |= bool(recognised.translated)
        if recognised.segments:
            tag = recognised.language.tag
            self._seconds[tag] += sum(segment.span.duration_s for segment in recognised.segments)
            self._probability[tag] = max(self._probability.get(tag, 0), recognised.language.probability)

    def finish(self, engine: EngineInfo) -> Transcription:
        """Returns the transcript, the language of most of it, and all notes."""
        main = max(self._seconds, key=self._seconds.__getitem__, default=UNDETERMINED)
        translation = Transcript(tuple(self._english), ENGLISH) if self._translated else None
        transcript = Transcript(tuple(self._spoken), main)
        return Transcription(transcript, translation, engine, tuple(self._notes(main)))

    def _notes(self, main: str) -> list[str]:
        notes = []
        if self._probability.get(main, 1) < DOUBTFUL_PROBABILITY:
            notes.append(f"The language of the speech is uncertain; {main} was assumed.")
        others = sorted(
            tag for tag, seconds in self._seconds.items() if tag != main and seconds >= OTHER_LANGUAGES_S
        )
        if others:
            notes.append(f"Parts of the speech are in other languages than {main}: {', '.join(others)}.")
        if self._doubtful_s >= DOUBTFUL_S:
            notes.append(
                f"{self._doubtful_s:.0f} s of sound were left out of the transcript, because what was "
                "recognised there was probably not said (music, singing or noise)."
            )
        if self._spoken and self.needs_english(main):
            notes += self._on_translation(main)
        return notes

    def _on_translation(self, main: str) -> list[str]:
        readable = is_readable(main, self._request.readable)
        if self._translated:
            follow = (
                f"The emotions follow a translation, because the emotion classifier does not read {main}."
            )
            return [] if readable else [follow]
        missing = "This Whisper model cannot translate; `etbgm models pull whisper-small` gets one that can."
        if readable:
            return [f"There is no English transcript. {missing}"]
        return [f"The emotions may be wrong: the emotion classifier does not read {main}. {missing}"]
