"""Reconstructs phases for magnitudes."""

import math

import torch

from etbgm_riffusion.spectrogram.frames import Frames
from etbgm_riffusion.spectrogram.mel import BandGains

_MOMENTUM = 0.99
"""Perraudin et al. found no better value, and neither did we: 1.2 diverges."""

_TINY = 1e-12

_TRUSTED, _USELESS = 4.0, 16.0
"""A guide that needs less gain than the first determines the phase; one that needs more than the second
is ignored."""


def first_guess(magnitudes: torch.Tensor, hops: int, known: torch.Tensor | None) -> torch.Tensor:
    """Returns spectra with these magnitudes (channels, columns, bins), in one pass over the columns.

    Each peak of a column is treated as a tone: its phase advances by its frequency, and the bins around
    it follow. A window is `hops` columns long. The first columns are `known`. After G. Beauregard, M.
    Harish and L. Wyse, "Single pass spectrogram inversion" (2015).
    """
    channels, columns, bins = magnitudes.shape
    places = torch.arange(bins, device=magnitudes.device)
    last = magnitudes.new_zeros(channels, bins) if known is None else known[:, -1].angle()
    phases = torch.zeros_like(magnitudes)
    for column in range(0 if known is None else known.shape[1], columns):
        level = magnitudes[:, column]
        lower, upper = torch.nn.functional.pad(level, (1, 1)).unfold(-1, bins, 2).unbind(1)
        is_peak = (level > lower) & (level >= upper)
        below = torch.where(is_peak, places, -bins).cummax(dim=1).values
        above = torch.where(is_peak, places, 3 * bins).flip(1).cummin(dim=1).values.flip(1)
        peak = torch.where(places - below <= above - places, below, above).clamp(0, bins - 1)
        bend = (lower - 2 * level + upper).clamp(max=-_TINY)
        tone = places + ((lower - upper) / (2 * bend)).clamp(-0.5, 0.5)
        moved = last.gather(1, peak) + 2 * math.pi / hops * tone.gather(1, peak)
        last = phases[:, column] = (moved + math.pi * (places - peak)).remainder(2 * math.pi)
    return torch.polar(magnitudes, phases)


def led(guide: torch.Tensor, guess: torch.Tensor, targets: torch.Tensor, gains: BandGains) -> torch.Tensor:
    """Returns the guide scaled to the targets, blended with the guess where the guide is too weak."""
    weak = gains.gains(guide, targets).clamp(min=_TRUSTED, max=_USELESS)
    trust = gains.spread((_USELESS / weak).log() / math.log(_USELESS / _TRUSTED))
    return trust * gains.fitted(guide, targets) + (1 - trust) * guess


def refined(
    spectra: torch.Tensor, targets: torch.Tensor, frames: Frames, gains: BandGains, rounds: int
) -> torch.Tensor:
    """Moves the spectra closer to those of a real sound whose bands meet the targets.

    The fast Griffin-Lim algorithm (N. Perraudin, P. Balazs, P. Søndergaard, 2013), but with magnitudes
    that are free within the bands.
    """
    real = None
    for _ in range(rounds):
        before, real = real, frames.analyse(frames.synthesise(spectra))
        ahead = real if before is None else real + _MOMENTUM * (real - before)
        spectra = gains.fitted(ahead, targets)
    return spectra
