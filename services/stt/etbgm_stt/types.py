"""What is asked of this service, and what its engines answer."""

from dataclasses import dataclass

from etbgm_kit.types import Artifact, EngineInfo, Segment, Transcript


@dataclass(frozen=True, slots=True)
class Question:
    """Which sound to transcribe; `language` is a BCP-47 tag, None when unknown."""

    audio: Artifact
    language: str | None = None


@dataclass(frozen=True, slots=True)
class CaptionsQuestion:
    """Which captions to read, in which language; cut at `duration_s` when that is known."""

    captions: Artifact
    language: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """All before `until_s` has been recognised; `segment` is what was said last, if anything."""

    until_s: float
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A transcript, what made it, and sentences for the user on the limits that applied."""

    transcript: Transcript
    engine: EngineInfo
    notes: tuple[str, ...]
