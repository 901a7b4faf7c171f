"""The values of this service's requests and results."""

from dataclasses import dataclass

from etbgm_kit.types import Artifact, EngineInfo, Segment, Transcript


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """The sound to transcribe, and the languages of speaker and reader.

    `language` is a BCP-47 tag, None if unknown. `readable` are the tags of the languages that
    the reader understands: other speech is translated to English, unless `readable` is empty.
    """

    audio: Artifact
    language: str | None = None
    readable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportCaptionsRequest:
    """The captions to read and their language; they are cut at `duration_s` if it is known."""

    captions: Artifact
    language: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """Everything before `until_s` has been recognised; `segment` is the latest speech, if any."""

    until_s: float
    segment: Segment | None = None


UNDETERMINED = "und"
"""The tag of an unknown language, for example without speech."""


@dataclass(frozen=True, slots=True)
class Language:
    """The BCP-47 tag of the transcript's language, and sentences for the user about it."""

    written: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcription:
    """A transcript, its engine, and sentences for the user about the limits that applied."""

    transcript: Transcript
    engine: EngineInfo
    notes: tuple[str, ...]
