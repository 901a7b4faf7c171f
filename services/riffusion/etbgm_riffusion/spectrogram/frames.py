"""Short windows of sound as spectra, and back, at a sample rate of choice."""

import torch

from etbgm_riffusion.spectrogram.params import SpectrogramParams

_LEAST_WEIGHT = 1e-3
"""Where windows sum to less, at the outer ends, sound is faded out instead of blown up."""


class Frames:
    """Cuts sound into Hann windows, one for each column of `params`.

    They are equally long at every rate, so their bins lie 1000 / window_ms Hz apart at each: a
    spectrum goes from one rate to another by cutting off bins or adding empty ones.
    """

    def __init__(self, params: SpectrogramParams, rate_hz: int, device: torch.device) -> None:
        self.window = params.window_ms * rate_hz // 1000
        self.overlap = params.window_ms // params.step_ms
        """Windows that each sample is in."""
        self._hop = self.window // self.overlap
        self._padding = params.padded_ms // params.window_ms
        self._shape = torch.hann_window(self.window, device=device)

    def analyse(self, sound: torch.Tensor, padding: int = 1) -> torch.Tensor:
        """(channels, samples) as spectra (channels, columns, bins), complex.

        The first window starts at sample 0. Windows are filled up with zeros to `padding` times
        their length.
        """
        windows = sound.unfold(-1, self.window, self._hop) * self._shape
        spectra: torch.Tensor = torch.fft.rfft(windows, n=padding * self.window)
        return spectra

    def analyse_padded(self, sound: torch.Tensor) -> torch.Tensor:
        """`analyse`, with windows filled up to padded_ms."""
        return self.analyse(sound, self._padding)

    def unpadded(self, spectra: torch.Tensor) -> torch.Tensor:
        """What `analyse` gives, from what `analyse_padded` gives."""
        return spectra[..., :: self._padding]

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
        steps = windows.reshape(channels, columns, self.overlap, self._hop)
        total = windows.new_zeros(channels, columns + self.overlap - 1, self._hop)
        for step in range(self.overlap):
            total[:, step : step + columns] += steps[:, :, step]
        return total.reshape(channels, -1)
