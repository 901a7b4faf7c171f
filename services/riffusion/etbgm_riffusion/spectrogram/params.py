"""The parameters of a spectrogram, as chosen by Riffusion.

After H. Martiros and S. Forsgren, riffusion (2022): one column every 10 ms and 512 bands, so a square
image of Stable Diffusion lasts 5.12 s.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpectrogramParams:
    """How sound becomes a spectrogram, and a spectrogram an image.

    Raises ValueError if the values contradict each other, or a step is not a whole number of samples.
    """

    stereo: bool = False
    sample_rate_hz: int = 44100
    step_ms: int = 10
    """Time between two columns."""
    window_ms: int = 100
    """Length of the Hann window."""
    padded_ms: int = 400
    """Windows are zero-padded to this length: bins are 1000 / `padded_ms` Hz apart."""
    bands: int = 512
    """Rows of the image: triangles of height 1 on the mel scale of HTK."""
    min_hz: int = 0
    max_hz: int = 10000
    power: float = 0.25
    """Pixels are 255 * (1 - (magnitude / peak) ** power)."""

    def __post_init__(self) -> None:
        lengths = [self.step_ms * rate for rate in (self.sample_rate_hz, self.band_rate_hz)]
        if min(lengths) <= 0 or any(length % 1000 for length in lengths):
            raise ValueError(f"steps of {self.step_ms} ms are no whole samples at {self.sample_rate_hz} Hz")
        if not 0 <= self.min_hz < self.max_hz <= self.sample_rate_hz / 2 or self.bands < 1:
            raise ValueError(f"no bands between {self.min_hz} and {self.max_hz} Hz")
        if not self.step_ms < self.window_ms <= self.padded_ms or self.window_ms % self.step_ms:
            raise ValueError(f"a window of {self.window_ms} ms does not fit steps of {self.step_ms} ms")
        if self.padded_ms % self.window_ms:
            raise ValueError(f"{self.padded_ms} ms are no multiple of a window of {self.window_ms} ms")

    @property
    def channels(self) -> int:
        """Channels of the sound that an image holds."""
        return 2 if self.stereo else 1

    @property
    def band_rate_hz(self) -> int:
        """The lowest sample rate that covers every band."""
        return 2 * self.max_hz

    @property
    def hop(self) -> int:
        """Samples between two columns."""
        return self.step_ms * self.sample_rate_hz // 1000

    @property
    def window(self) -> int:
        """Samples per window; a column's window is centred on sample column * hop."""
        return self.window_ms * self.sample_rate_hz // 1000

    def columns(self, samples: int) -> int:
        """Returns the number of columns of a spectrogram of `samples` samples."""
        return 1 + samples // self.hop

    def samples(self, columns: int) -> int:
        """Returns the number of samples from the middle of the first column to the middle of the last one."""
        return (columns - 1) * self.hop
