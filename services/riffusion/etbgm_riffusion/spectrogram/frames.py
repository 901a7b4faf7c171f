"""Converts short windows of sound to spectra, and back, at any sample rate."""

import torch

from etbgm_riffusion.spectrogram.params import SpectrogramParams

_LEAST_WEIGHT = 1e-3
"""Where window weights sum to less, at the outer ends, sound is faded out instead of amplified."""


class Frames:
    """Cuts sound into Hann windows, one for each column of `params`.

    Windows have the same duration at every rate, so their bins are always 1000 / window_ms Hz apart:
    dropping bins or appending empty ones converts a spectrum to another rate.
    """

    def __init__(self, params: SpectrogramParams, rate_hz: int, device: torch.device) -> None:
        self.window = params.window_ms * rate_hz // 1000
        self.overlap = params.window_ms // params.step_ms
        """Number of windows that contain each sample."""
        self._hop = self.window // self.overlap
        self._padding = params.padded_ms // params.window_ms
        self._shape = torch.hann_window(self.window, device=device)

    def analyse(self, sound: torch.Tensor, padding: int = 1) -> torch.Tensor:
        """Converts (channels, samples) to spectra (channels, columns, bins), complex.

        The first window starts at sample 0. Windows are zero-padded to `padding` times their length.
        """
        windows = sound.unfold(-1, self.window, self._hop) * self._shape
        spectra: torch.Tensor = torch.fft.rfft(windows, n=padding * self.window)
        return spectra

    def analyse_padded(self, sound: torch.Tensor) -> torch.Tensor:
        """Calls `analyse` with windows zero-padded to padded_ms."""
        return self.analyse(sound, self._padding)

    def unpadded(self, spectra: torch.Tensor) -> torch.Tensor:
        """Converts a result of `analyse_padded` to that of `analyse`."""
        return spectra[..., :: self._padding]

    def synthesise(self, spectra: torch.Tensor) -> torch.Tensor:
        """Returns the sound whose windows are nearest to these spectra, in the least-squares sense.

        The sound extends from the start of the first window to the end of the last one (D. Griffin and J.
        Lim, "Signal estimation from modified short-time Fourier transform", 1984, eq. 6).
        """
        windows = torch.fft.irfft(spectra, n=self.window) * self._shape
        weight = self._add((self._shape**2).expand(1, spectra.shape[1], self.window))
        return self._add(windows) / weight.clamp(min=_LEAST_WEIGHT)

    def _add(self, windows: torch.Tensor) -> torch.Tensor:
        """Adds overlapping windows (channels, columns, window) into one row."""
        channels, columns, _ = windows.shape
        steps = windows.reshape(channels, columns, self.overlap, self._hop)
        total = windows.new_zeros(channels, columns + self.overlap - 1, self._hop)
        for step in range(self.overlap):
            total[:, step : step + columns] += steps[:, :, step]
        return total.reshape(channels, -1)
