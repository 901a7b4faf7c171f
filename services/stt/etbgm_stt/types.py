"""What is asked of this service, and what its engines answer."""

from dataclasses import dataclass

from etbgm_kit.types import Artifact, EngineInfo, Segment, Transcript


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """Which sound to transcribe, and for whom.

    `language` is a BCP-47 tag, None when unknown; `readable` are those that the reader
    understands: speech in another is wanted in English, unless `readable` is empty.
    """

    audio: Artifact
    language: str | None = None
    readable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportCaptionsRequest:
    """Which captions to read, in which language; cut at `duration_s` when that is known."""

    captions: Artifact
    language: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Recognised:
    """All before `until_s` has been recognised; `segment` is what was said last, if anything."""

    until_s: float
    segment: Segment | None = None


UNDETERMINED = "und"
"""The tag of a language that nobody knows, as where nothing is said."""


@dataclass(frozen=True, slots=True)
class Language:
    """What the transcript is written in, a BCP-47 tag, and sentences for the user on that."""

    written: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Transcription:
    """A transcript, what made it, and sentences for the user on the limits that applied."""

    transcript: Transcript
    engine: EngineInfo
    notes: tuple[str, ...]
