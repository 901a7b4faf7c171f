"""What every music engine does: the composer, and engines that build on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from etbgm_kit.types import EngineInfo
from etbgm_riffusion.types import AdapterInfo, CueRequest, Generated, StyleInfo

OnProgress = Callable[[float], None]
"""Called with the share of the work done, [0, 1]; may raise to stop the work."""


class Adapters(Protocol):
    """The adapters (LoRAs) of an engine's model. All methods block."""

    def list(self) -> tuple[AdapterInfo, ...]:
        """Those that requests may name, in alphabetical order."""

    def load(self, name: str) -> AdapterInfo:
        """Reads one into memory; nothing to do when it is there.

        Raises NotFound for an unknown name, Conflict for weights that are broken or do not fit.
        """

    def unload(self, name: str) -> None:
        """Frees its memory. Raises NotFound for an unknown name, Conflict while a call uses it."""


class MusicEngine(Protocol):
    """Turns an emotion timeline into sound."""

    @property
    def adapters(self) -> Adapters | None:
        """None when the engine has no model that could take any."""

    def load(self) -> None:
        """Prepares for `generate`; blocks. Raises RuntimeError naming what is missing."""

    def close(self) -> None:
        """Ends what `load` started; only when no call computes any more."""

    def info(self) -> EngineInfo:
        """What computes the results; only after `load`."""

    def styles(self) -> tuple[StyleInfo, ...]:
        """The styles that requests may name, in alphabetical order."""

    def generate(self, request: CueRequest, music: Path, on_progress: OnProgress) -> Generated:
        """Writes the cue's sound to `music` as FLAC, 24 bit, stereo.

        Its length is round(end * rate) - round(start * rate) samples. Cues of one
        piece join sample-exactly; the same request gives the same bytes.

        When `request.stems` is set, each role's part is written beside it, likewise, to
        `music.with_name(f"{role}.flac")`, for the roles that `Generated.stems` names.
        Their sum is `music`, which is the same with and without them.
        """
