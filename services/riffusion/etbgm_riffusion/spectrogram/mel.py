"""From spectra to mel bands, and what bands say about spectra."""

import numpy as np
import torch
from numpy.typing import NDArray

from etbgm_riffusion.spectrogram.params import SpectrogramParams

_MEL, _MEL_HZ = 2595.0, 700.0
"""S. Young et al., "The HTK Book" 3.4, 5.4: mel = 2595 log10(1 + Hz / 700)."""

_LARGEST_GAIN = 100.0
_SILENT = 1e-9

Weights = NDArray[np.float32]


def corners_hz(params: SpectrogramParams) -> NDArray[np.float64]:
    """The corners of the bands' triangles, `bands` + 2: band b rises from b and peaks at b + 1."""
    low, high = (_MEL * np.log10(1 + hz / _MEL_HZ) for hz in (params.min_hz, params.max_hz))
    return _MEL_HZ * (10 ** (np.linspace(low, high, params.bands + 2) / _MEL) - 1)


def triangles(corners: NDArray[np.float64], bins: NDArray[np.float64]) -> Weights:
    """How much of each bin each band takes, (bins, bands), all in Hz: triangles of height 1.

    Not divided by their width, like torchaudio's `melscale_fbanks` with `norm=None`.
    """
    apart = np.diff(corners)
    beyond = bins[:, None] - corners[None]
    rising, falling = beyond[:, :-2] / apart[:-1], -beyond[:, 2:] / apart[1:]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def interpolation(at: NDArray[np.float64], known: NDArray[np.float64]) -> Weights:
    """(known, at): what a row of values at `known` is multiplied with to be read at `at`."""
    return np.stack([np.interp(at, known, row) for row in np.eye(len(known))]).astype(np.float32)


def _bins_hz(params: SpectrogramParams, spacing_hz: float) -> NDArray[np.float64]:
    """Those up to the highest band."""
    last = int(params.max_hz / spacing_hz)
    return np.linspace(0, last * spacing_hz, last + 1)


class MelBank:
    """Riffusion's bands of a spectrum with bins 1000 / padded_ms Hz apart."""

    def __init__(self, params: SpectrogramParams, device: torch.device) -> None:
        spacing_hz = 1000 / params.padded_ms
        bins_hz = _bins_hz(params, spacing_hz)
        self._weights = torch.from_numpy(triangles(corners_hz(params), bins_hz)).to(device)

    def bands(self, spectra: torch.Tensor) -> torch.Tensor:
        """(channels, columns, bins) complex as (channels, columns, bands)."""
        return spectra[..., : len(self._weights)].abs() @ self._weights


class BandGains:
    """Brings spectra with bins 1000 / window_ms Hz apart to the bands of a spectrogram.

    Bands closer together than the bins tell each bin's magnitude; the others tell the mean
    around them. So there is one node for each bin below the frequency where bands get
    sparser, and one for each band above. A spectrum is scaled at its nodes, and between them
    by what lies between: it keeps its peaks, which the bands alone cannot give back.
    """

    def __init__(self, params: SpectrogramParams, device: torch.device) -> None:
        spacing_hz = 1000 / params.window_ms
        bins_hz = _bins_hz(params, spacing_hz)
        corners = corners_hz(params)
        centres = corners[1:-1]
        sparse = centres[np.searchsorted(np.diff(centres), spacing_hz) :]
        nodes = np.concatenate([bins_hz[bins_hz < sparse[0]], sparse])
        share = triangles(np.concatenate([[nodes[0] - spacing_hz], nodes, corners[-1:]]), bins_hz)
        spread = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-9)
        areas = (corners[2:] - corners[:-2]) / 2 * params.padded_ms / 1000
        matrices = (
            interpolation(nodes, centres) / areas[:, None],
            interpolation(bins_hz, nodes),
            share / share.sum(axis=0),
            spread.T,
        )
        self._to_nodes, self._to_bins, self._mean, self._spread = (
            torch.from_numpy(np.ascontiguousarray(matrix, np.float32)).to(device) for matrix in matrices
        )

    def targets(self, bands: torch.Tensor) -> torch.Tensor:
        """(channels, columns, bands) as the magnitudes wanted at the nodes."""
        return bands @ self._to_nodes

    def magnitudes(self, targets: torch.Tensor) -> torch.Tensor:
        """A smooth spectrum, (channels, columns, bins), that has them."""
        return targets @ self._to_bins

    def gains(self, spectra: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """What the spectra are to be multiplied with at each node."""
        return targets / (spectra.abs() @ self._mean).clamp(min=_SILENT)

    def spread(self, values: torch.Tensor) -> torch.Tensor:
        """Values at the nodes as values at the bins."""
        return values @ self._spread

    def fitted(self, spectra: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The spectra with the bands that are wanted, as far as gains of 40 dB can do it."""
        return spectra * self.spread(self.gains(spectra, targets).clamp(max=_LARGEST_GAIN))
