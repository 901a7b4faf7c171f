"""What the service asks of an engine; each engine has a file of its own."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from etbgm_kit.types import EngineInfo, Transcript
from etbgm_kit.vad import Mono
from etbgm_stt.types import Heard


class Recogniser(Protocol):
    """Finds the words in sound."""

    @property
    def engine(self) -> EngineInfo:
        """What recognises."""

    def load(self) -> None:
        """Blocks until `recognise` can be called."""

    def language_of(self, asked: str | None) -> str:
        """The BCP-47 tag of the transcript when `asked` is the spoken language, None when unknown.

        Raises InvalidField("language") when the engine does not know it.
        """

    def notes(self, transcript: Transcript) -> tuple[str, ...]:
        """Sentences for the user on what limits `transcript`."""

    def recognise(self, blocks: Iterable[Mono], language: str) -> Iterator[Heard]:
        """Takes (samples,) float32 in [-1, 1] at 16 kHz; yields segments in order of time.

        Yields at least once a block, so that a caller who stops iterating stops the work.
        """

    def close(self) -> None:
        """Ends what `load` started."""
