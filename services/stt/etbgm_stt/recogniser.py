"""What the service asks of an engine; each engine has a file of its own."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from etbgm_kit.media.vad import Mono
from etbgm_kit.types import EngineInfo, Transcript
from etbgm_stt.types import Language, Recognised


class Recogniser(Protocol):
    """Finds the words in sound."""

    @property
    def engine(self) -> EngineInfo:
        """What recognises."""

    def load(self) -> None:
        """Blocks until `recognise` can be called."""

    def notes(self, transcript: Transcript) -> tuple[str, ...]:
        """Sentences for the user on what limits `transcript`."""

    def recognise(
        self, blocks: Iterable[Mono], language: str | None, readable: frozenset[str]
    ) -> Iterator[Recognised | Language]:
        """Takes (samples,) float32 in [-1, 1] at 16 kHz; yields segments in order of time.

        `language` is the tag of what is spoken, None when unknown; see `TranscribeRequest.readable`.
        Yields the transcript's language once, before the first segment; and something at
        least once a block, so that a caller who stops iterating stops the work. Raises
        InvalidField("language") when the engine does not know it, and NotReady.
        """

    def close(self) -> None:
        """Ends what `load` started."""
