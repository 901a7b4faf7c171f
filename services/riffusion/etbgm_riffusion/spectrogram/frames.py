"""Short windows of sound as spectra, and back: the STFT, at a rate of choice."""

import torch

from etbgm_riffusion.spectrogram.params import SpectrogramParams

_LEAST_WEIGHT = 1e-3
"""Where windows sum to less, at the outer ends, sound is faded out instead of blown up."""


class Frames:
    """Cuts sound into the columns of `params`, one window each, at `rate_hz`.

    Windows are as long as at any other rate, so bins lie 1000 / window_ms Hz apart and a
    spectrum can be taken from one rate to another by cutting bins off or filling up with zeros.
    """

    def __init__(self, params: SpectrogramParams, rate_hz: int, device: torch.device) -> None:
        self.hop = params.step_ms * rate_hz // 1000
        self.window = params.window_ms * rate_hz // 1000
        self._shape = torch.hann_window(self.window, device=device)

    def analyse(self, sound: torch.Tensor, padded: int | None = None) -> torch.Tensor:
        """(channels, samples) as spectra (channels, columns, bins), complex.

        The first window starts at sample 0. Windows are filled up with zeros to `padded` samples.
        """
        windows = sound.unfold(-1, self.window, self.hop) * self._shape
        spectra: torch.Tensor = torch.fft.rfft(windows, n=padded)
        return spectra

    def synthesise(self, spectra: torch.Tensor) -> torch.Tensor:
        """The sound whose windows are nearest to these spectra, in the least-squares sense.

        From where the first window starts to where the last one ends (D. Griffin and J. Lim,
        "Signal estimation from modified short-time Fourier transform", 1984, eq. 6).
        """
        windows = torch.fft.irfft(spectra, n=self.window) * self._shape
        weight = self._add((self._shape**2).expand(1, spectra.shape[1], self.window))
        return self._add(windows) / weight.clamp(min=_LEAST_WEIGHT)

    def _add(self, windows: torch.Tensor) -> torch.Tensor:
        """Overlapping windows (channels, columns, window) as one row."""
        channels, columns, _ = windows.shape
        steps = windows.reshape(channels, columns, -1, self.hop)
        total = windows.new_zeros(channels, columns + steps.shape[2] - 1, self.hop)
        for step in range(steps.shape[2]):
            total[:, step : step + columns] += steps[:, :, step]
        return total.reshape(channels, -1)
