"""Turns clips of sound into spectrogram images, as large and as loud as the seeds that Riffusion gets."""

from pathlib import Path

import numpy as np

from etbgm_kit.media.waveform import Samples
from etbgm_riffusion.dataset.similar import fingerprint
from etbgm_riffusion.dataset.types import ClipFacts
from etbgm_riffusion.diffusion.painter import PEAK
from etbgm_riffusion.diffusion.types import CLIP
from etbgm_riffusion.spectrogram import image
from etbgm_riffusion.spectrogram.codec import Codec
from etbgm_riffusion.spectrogram.mel import corners_hz
from etbgm_riffusion.spectrogram.params import SpectrogramParams

LOUDNESS_LUFS = -21.0
"""Loudness that sources are brought to: that of the composer's music, whose spectrograms are the seeds in
production (−19.8 to −23.2 LUFS for 20 s of each emotion)."""


class ClipWriter:
    """Writes clips as images, in stereo as in production or in mono."""

    def __init__(self, stereo: bool = True) -> None:
        self.params = SpectrogramParams(stereo=stereo)
        self._codec = Codec(self.params)
        self._centres_hz = corners_hz(self.params)[1:-1]

    @property
    def samples(self) -> int:
        """Length of a clip in samples."""
        return CLIP * self.params.hop

    def write(
        self, sound: Samples, path: Path, start_s: float, onsets_per_s: float, usual: float
    ) -> ClipFacts:
        """Writes the image of a clip (samples, 2), at its final level, and returns what was measured.

        `usual` is the root mean square of the whole source's middle (L + R) / 2 at that level.
        """
        middle = sound.mean(axis=1, keepdims=True)
        sound = sound if self.params.stereo else middle
        mel = self._codec.encode(np.ascontiguousarray(sound))[..., :CLIP]
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        pixels = image.save(mel, self.params, part, PEAK)
        part.replace(path)
        power = (mel.astype(np.float64) ** 2).sum(axis=(0, 2))
        level = float(np.sqrt(np.mean(middle.astype(np.float64) ** 2)))
        return ClipFacts(
            name=path.stem,
            start_s=round(start_s, 3),
            level_db=round(20 * float(np.log10(max(level, 1e-6) / max(usual, 1e-6))), 1),
            brightness_hz=round(float((power * self._centres_hz).sum() / max(power.sum(), 1e-12))),
            onsets_per_s=round(onsets_per_s, 2),
            fingerprint=fingerprint(pixels),
        )
