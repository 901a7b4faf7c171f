"""What the service asks of any engine that finds speech in a mix."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from etbgm_kit.types import EngineInfo, Span
from etbgm_mixer.types import OnProgress


@dataclass(frozen=True, slots=True)
class Findings:
    """Where someone speaks, and whether the pauses are quiet enough to leave all as it is."""

    speech_spans: tuple[Span, ...]
    is_clean: bool


class Separator(Protocol):
    """Enhances speech. Both methods block; `enhance` may be called by several threads at once."""

    @property
    def engine(self) -> EngineInfo:
        """What separates; the revision changes when any result could. Known after `load`."""

    def load(self) -> None:
        """Gets ready. Raises RuntimeError, naming what is missing or broken."""

    def enhance(self, audio: Path, enhanced: Path, on_progress: OnProgress) -> Findings:
        """Finds the speech in `audio`, mono or stereo at 48 kHz, and writes it to `enhanced`, mono.

        `enhanced` has as many samples as `audio`, none late; it may be left out when nobody
        speaks or the original is clean. `on_progress` may raise to stop the work. Memory does not
        grow with the sound. Raises InvalidField for `audio` that is no such sound.
        """
