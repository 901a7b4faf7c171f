"""The protocol of recognition engines; each engine has its own file."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from etbgm_kit.media.vad import Mono
from etbgm_kit.types import EngineInfo
from etbgm_stt.types import Recognised


class Recogniser(Protocol):
    """Finds the words in sound."""

    @property
    def engine(self) -> EngineInfo:
        """The engine behind the results."""

    @property
    def languages(self) -> Sequence[str]:
        """BCP-47 tags of the languages that it knows, in alphabetical order. Raises NotReady."""

    def load(self) -> None:
        """Blocks until `recognise` can be called."""

    def recognise(
        self, blocks: Iterable[Mono], language: str | None, needs_english: Callable[[str], bool]
    ) -> Iterator[Recognised]:
        """Takes (samples,) float32 in [-1, 1] at 16 kHz; yields speech in chronological order.

        `language` is the tag of the spoken language, None if it must be detected. Speech in a language
        for which `needs_english` is true also comes in English, if the engine translates. Yields at
        least one item per block, so that a caller who stops iterating stops the work.
        Raises InvalidField("language") if the engine does not support it, and NotReady.
        """

    def close(self) -> None:
        """Stops everything that `load` started."""
