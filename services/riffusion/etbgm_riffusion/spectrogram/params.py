"""The numbers of a spectrogram, as Riffusion chose them.

After H. Martiros and S. Forsgren, riffusion (2022): one column every 10 ms, 512 bands, so a
square image of Stable Diffusion is 5.12 s.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpectrogramParams:
    """How sound becomes a spectrogram, and a spectrogram an image.

    Raises ValueError when they contradict each other, or a step is no whole number of samples.
    """

    stereo: bool = False
    sample_rate_hz: int = 44100
    step_ms: int = 10
    """Between two columns."""
    window_ms: int = 100
    """Hann."""
    padded_ms: int = 400
    """The window is filled up with zeros to this length: bins lie 1000 / `padded_ms` Hz apart."""
    bands: int = 512
    """Rows of the image, on the mel scale of HTK, triangles of height 1."""
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
        """Of the sound that an image holds."""
        return 2 if self.stereo else 1

    @property
    def band_rate_hz(self) -> int:
        """The lowest sample rate that holds every band."""
        return 2 * self.max_hz

    @property
    def hop(self) -> int:
        """Samples between two columns."""
        return self.step_ms * self.sample_rate_hz // 1000

    @property
    def window(self) -> int:
        """Samples of a window; a column's is centred on sample column * hop."""
        return self.window_ms * self.sample_rate_hz // 1000

    def columns(self, samples: int) -> int:
        """Of the spectrogram of so many samples."""
        return 1 + samples // self.hop

    def samples(self, columns: int) -> int:
        """From the middle of the first column to the middle of the last one."""
        return (columns - 1) * self.hop
