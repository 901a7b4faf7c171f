"""The protocol of engines that separate speech from other sound."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from etbgm_kit.types import EngineInfo, Span
from etbgm_mixer.types import OnProgress


@dataclass(frozen=True, slots=True)
class Findings:
    """The spans with speech, and whether the pauses are quiet enough to leave the sound unchanged."""

    speech_spans: tuple[Span, ...]
    is_clean: bool


class Separator(Protocol):
    """Enhances speech. Both methods block; several threads may call `enhance` at once."""

    @property
    def engine(self) -> EngineInfo:
        """The engine; its revision changes whenever results could. Available after `load`."""

    def load(self) -> None:
        """Loads the engine. Raises RuntimeError, which names what is missing or broken."""

    def enhance(self, audio: Path, enhanced: Path, on_progress: OnProgress) -> Findings:
        """Finds the speech in `audio`, mono or stereo at 48 kHz, and writes it to `enhanced`, mono.

        `enhanced` has as many samples as `audio`, without delay. It may be missing if there is no
        speech or the original is clean. `on_progress` may raise to stop the work. Memory use does
        not grow with the sound. Raises InvalidField if `audio` has another format.
        """
