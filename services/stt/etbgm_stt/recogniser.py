"""The protocol of recognition engines; each engine has its own file."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from etbgm_kit.media.vad import Mono
from etbgm_kit.types import EngineInfo, Transcript
from etbgm_stt.types import Language, Recognised


class Recogniser(Protocol):
    """Finds the words in sound."""

    @property
    def engine(self) -> EngineInfo:
        """The engine behind the results."""

    def load(self) -> None:
        """Blocks until `recognise` can be called."""

    def notes(self, transcript: Transcript) -> tuple[str, ...]:
        """Returns sentences for the user about the limits of `transcript`."""

    def recognise(
        self, blocks: Iterable[Mono], language: str | None, readable: frozenset[str]
    ) -> Iterator[Recognised | Language]:
        """Takes (samples,) float32 in [-1, 1] at 16 kHz; yields segments in chronological order.

        `language` is the tag of the spoken language, None if unknown; for `readable` see
        `TranscribeRequest`. Yields the transcript's language once, before the first segment,
        and at least one item per block, so that a caller who stops iterating stops the work.
        Raises InvalidField("language") if the engine does not support it, and NotReady.
        """

    def close(self) -> None:
        """Stops everything that `load` started."""
