"""The interface of every music engine: of the composer, and of engines that build on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from etbgm_kit.types import EngineInfo
from etbgm_riffusion.types import AdapterInfo, CueRequest, Generated, StyleInfo

OnProgress = Callable[[float], None]
"""Called with the fraction of the work done, in [0, 1]; may raise to stop the work."""


class Adapters(Protocol):
    """The adapters (LoRAs) of an engine's model. All methods block."""

    def list(self) -> tuple[AdapterInfo, ...]:
        """Returns the adapters that requests may name, in alphabetical order."""

    def load(self, name: str) -> AdapterInfo:
        """Loads an adapter into memory, unless it is already loaded.

        Raises NotFound for an unknown name, Conflict if the weights are broken or do not fit the model.
        """

    def unload(self, name: str) -> None:
        """Frees the adapter's memory. Raises NotFound for an unknown name, Conflict while a call uses it."""


class MusicEngine(Protocol):
    """Turns an emotion timeline into sound."""

    @property
    def adapters(self) -> Adapters | None:
        """The adapters of the engine's model; None if the engine does not support adapters."""

    def load(self) -> None:
        """Prepares the engine for `generate`; blocks. Raises RuntimeError naming what is missing."""

    def close(self) -> None:
        """Stops what `load` started. Call it only when no call is computing."""

    def info(self) -> EngineInfo:
        """Describes what computes the results. Call it only after `load`."""

    def styles(self) -> tuple[StyleInfo, ...]:
        """Returns the styles that requests may name, in alphabetical order."""

    def generate(self, request: CueRequest, music: Path, on_progress: OnProgress) -> Generated:
        """Writes the cue's sound to `music` as 24-bit stereo FLAC.

        The length is round(end * rate) - round(start * rate) samples. Cues of one piece join
        sample-exactly; the same request produces the same bytes.

        If `request.stems` is set, each role's part is also written, in the same format, to
        `music.with_name(f"{role}.flac")`, for the roles named in `Generated.stems`. The stems sum to
        `music`, which is the same with and without them.
        """
