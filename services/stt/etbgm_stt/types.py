"""The values of this service's requests and results."""

from dataclasses import dataclass

from etbgm_kit.languages import UNDETERMINED
from etbgm_kit.types import Artifact, EngineInfo, Segment, Transcript


@dataclass(frozen=True, slots=True)
class TranscribeRequest:
    """The sound to transcribe, and the languages of speaker and reader.

    `language` is a BCP-47 tag, None if unknown. `readable` are the tags of the languages that
    the reader understands; empty for any. Speech in another language is also translated to
    English, and with `translate` all speech is.
    """

    audio: Artifact
    language: str | None = None
    readable: frozenset[str] = frozenset()
    translate: bool = False


@dataclass(frozen=True, slots=True)
class ImportCaptionsRequest:
    """The captions to read and their language; they are cut at `duration_s` if it is known."""

    captions: Artifact
    language: str
    duration_s: float | None = None


@dataclass(frozen=True, slots=True)
class ImportedCaptions:
    """The transcript of captions, which may be empty, and notes for the user."""

    transcript: Transcript
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Language:
    """The BCP-47 tag of a language, and the probability that it is spoken, (0, 1]."""

    tag: str
    probability: float = 1.0


@dataclass(frozen=True, slots=True)
class Recognised:
    """Everything before `until_s` has been recognised; `segments` are the latest speech.

    They are in the language with the tag `language`; `translated` is the same in English if needed.
    In `doubtful_s` seconds, something was recognised that was probably not said.
    """

    until_s: float
    segments: tuple[Segment, ...] = ()
    language: Language = Language(UNDETERMINED)
    translated: tuple[Segment, ...] = ()
    doubtful_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Transcription:
    """A transcript in the language that is spoken, its engine, and notes for the user.

    `translation` is the same in English, None if it was not needed or the engine cannot translate.
    """

    transcript: Transcript
    translation: Transcript | None
    engine: EngineInfo
    notes: tuple[str, ...]
