"""The separator that is always available: RNNoise on the CPU, faster than real time.

Measured on speech with music at +10 dB, noise at +5 dB and music at 0 dB (SI-SDR in
the spoken spans): 10.0, 5.0, 0.0 dB before, 14.7, 10.5, 3.4 dB after.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from etbgm_kit.artifacts.revision import revision_of
from etbgm_kit.media.vad import Mono, model_sha256
from etbgm_kit.models.catalogue import ingredient
from etbgm_kit.types import EngineInfo
from etbgm_mixer import sound
from etbgm_mixer.rnnoise import Rnnoise
from etbgm_mixer.separate import SpeechFinder
from etbgm_mixer.separator import Findings
from etbgm_mixer.types import OnProgress

ORIGINAL_SHARE = 0.1
"""Share of the original in the enhanced speech: gives the best SI-SDR at +10, +5 and 0 dB alike."""

DETECTION_SHARE = 0.2
"""Share of the original in the detector's input. The detector then finds quiet words that
RNNoise suppresses (92 against 78 % of the spoken time at 0 dB), and music does not mislead
it (1 against 14 % of the pauses at +10 dB)."""


class RnnoiseSeparator:
    """A Separator that needs only the installed packages."""

    def __init__(self) -> None:
        self._rnnoise: Rnnoise | None = None

    @property
    def engine(self) -> EngineInfo:
        """RNNoise and the network that detects speech."""
        assert self._rnnoise is not None
        weights = ingredient("rnnoise"), ingredient("silero-vad")
        revision = revision_of(__name__, facts=(self._rnnoise.sha256, model_sha256()))
        return EngineInfo("rnnoise", revision, "cpu", weights)

    def load(self) -> None:
        """Loads the library. Raises RuntimeError if it is missing."""
        self._rnnoise = Rnnoise()

    def enhance(self, audio: Path, enhanced: Path, on_progress: OnProgress) -> Findings:
        """Enhances the sound and detects speech in one pass."""
        assert self._rnnoise is not None
        finder = SpeechFinder()
        with sound.opened(audio, "audio") as source, sound.created(enhanced, 1) as target:
            originals: list[Mono] = []

            def feed() -> Iterator[Mono]:
                for block in sound.blocks(source):
                    mono = block.mean(axis=1, dtype=np.float32)
                    originals.append(mono)
                    finder.measure(mono)
                    yield mono

            held = np.zeros(0, np.float32)
            for speech in self._rnnoise.enhance(feed()):
                held = np.concatenate([held, *originals])
                originals.clear()
                original, held = held[: len(speech)], held[len(speech) :]
                target.write(speech + ORIGINAL_SHARE * (original - speech))
                finder.listen(speech + DETECTION_SHARE * (original - speech))
                on_progress(target.tell() / max(1, source.frames))
        return finder.findings()
