"""Computes mel bands from spectra, and fits spectra to bands."""

import numpy as np
import torch
from numpy.typing import NDArray

from etbgm_riffusion.spectrogram.banded import Banded, interpolation, triangles
from etbgm_riffusion.spectrogram.params import SpectrogramParams

_MEL, _MEL_HZ = 2595.0, 700.0
"""S. Young et al., "The HTK Book" 3.4, 5.4: mel = 2595 log10(1 + Hz / 700)."""

_SILENT = 1e-3
"""An inaudible magnitude: 120 dB below a full-scale tone's, which is a quarter of a window's samples."""

_LARGEST_GAIN = 100.0
"""Limit for one round: anything weaker is noise, and grows from round to round anyway."""


def corners_hz(params: SpectrogramParams) -> NDArray[np.float64]:
    """Returns where the triangles start, peak and end: `bands` + 2 frequencies, evenly spaced in mel."""
    low, high = (_MEL * np.log10(1 + hz / _MEL_HZ) for hz in (params.min_hz, params.max_hz))
    return _MEL_HZ * (10 ** (np.linspace(low, high, params.bands + 2) / _MEL) - 1)


def bins_hz(params: SpectrogramParams, window_ms: int) -> NDArray[np.float64]:
    """Returns the frequencies of the bins of a window of this length, up to the highest band."""
    last = params.max_hz * window_ms // 1000
    return np.linspace(0, last * 1000 / window_ms, last + 1)


class MelBank:
    """Computes the bands of padded windows' spectra."""

    def __init__(self, params: SpectrogramParams, device: torch.device) -> None:
        weights = triangles(corners_hz(params), bins_hz(params, params.padded_ms))
        self.areas = np.maximum(weights.sum(axis=0), 1e-6)
        """The bands of an all-ones spectrum, (bands,)."""
        self._bins = len(weights)
        self._weigh = Banded(weights, device)

    def bands(self, spectra: torch.Tensor) -> torch.Tensor:
        """Converts (channels, columns, bins) complex to (channels, columns, bands)."""
        used = spectra[..., : self._bins]
        # Three times as fast as abs(), which guards against squares too large for float32.
        return self._weigh(used.real.square().addcmul_(used.imag, used.imag).sqrt_())


class BandGains:
    """Scales spectra of unpadded windows until their bands match.

    Low bands lie closer together than the bins: there, each bin is a node, and the bands determine its
    magnitude. High bands span many bins: there, each band is a node and determines their mean. Spectra
    are scaled by a gain at each node, interpolated between nodes. This preserves the peaks of a spectrum,
    which the bands alone could not restore.
    """

    def __init__(self, params: SpectrogramParams, areas: NDArray[np.float32], device: torch.device) -> None:
        bins, corners = bins_hz(params, params.window_ms), corners_hz(params)
        centres, spacing = corners[1:-1], bins[1]
        sparse = centres[np.searchsorted(np.diff(centres), spacing) :]
        nodes = np.concatenate([bins[bins < sparse[0]], sparse])
        share = triangles(np.concatenate([[nodes[0] - spacing], nodes, corners[-1:]]), bins)
        self._to_nodes = Banded(interpolation(centres, nodes) / areas[:, None], device)
        self._to_bins = Banded(interpolation(nodes, bins), device)
        self._mean = Banded(share / share.sum(axis=0), device)
        self._spread = Banded((share / np.maximum(share.sum(axis=1, keepdims=True), 1e-6)).T, device)

    def targets(self, bands: torch.Tensor) -> torch.Tensor:
        """Returns the magnitudes at the nodes, (channels, columns, nodes), that these bands require."""
        return self._to_nodes(bands)

    def bias(self, spectra: torch.Tensor, bands: torch.Tensor) -> torch.Tensor:
        """Returns the spectra's magnitudes at the nodes as a factor of those that their own bands imply.

        It depends on where tones lie between the bins, so it is much the same for similar sounds.
        """
        return (self._mean(spectra.abs()) + _SILENT) / (self._to_nodes(bands) + _SILENT)

    def smooth(self, targets: torch.Tensor) -> torch.Tensor:
        """Returns magnitudes without peaks, (channels, columns, bins), that meet the targets."""
        return self._to_bins(targets)

    def gains(self, spectra: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Returns the factors that bring the spectra to the targets at the nodes."""
        return targets / self._mean(spectra.abs()).clamp(min=_SILENT)

    def spread(self, values: torch.Tensor) -> torch.Tensor:
        """Spreads values at the nodes to the bins."""
        return self._spread(values)

    def fitted(self, spectra: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Returns the spectra scaled to the targets, but raised by no more than 40 dB."""
        return spectra * self._spread(self.gains(spectra, targets).clamp(max=_LARGEST_GAIN))
