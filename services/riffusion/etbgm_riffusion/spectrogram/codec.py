"""Converts sound to spectrograms and back, block by block."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import pad

from etbgm_riffusion.spectrogram import phase
from etbgm_riffusion.spectrogram.frames import Frames
from etbgm_riffusion.spectrogram.image import Mel
from etbgm_riffusion.spectrogram.mel import BandGains, MelBank
from etbgm_riffusion.spectrogram.params import SpectrogramParams

Sound = NDArray[np.float32]
"""(samples, channels) float32 at the sample rate of the params."""

_ENCODED = 64
"""Columns per encoding block: 5 MB of spectra for each channel."""

_DECODED = 512
"""Columns per decoding block, one clip: peak memory of 150 to 200 MB for each channel."""

_SHARED = 40
"""Columns that two decoding blocks share. The later block starts with what the earlier one found there;
the two are cross-faded in the middle, a window away from the end of either."""

_ROUNDS = 16
"""Rounds of refinement, both before and after the bias of the resulting bands is measured."""

_AIR, _LARGEST_AIR = 0.8, 2.0
"""The guide continues above the bands. Its gain is the level of the bands relative to the guide's own,
measured from this fraction of the bands up, but at most 2 (6 dB)."""


class Codec:
    """Encodes and decodes with `params` on one device.

    Holds no state between calls: the same values give the same result, from any thread.
    """

    def __init__(self, params: SpectrogramParams, device: str = "cpu", block: int = _DECODED) -> None:
        self.params = params
        self._device = torch.device(device)
        self._block = block
        self._bank = MelBank(params, self._device)
        self._gains = BandGains(params, self._bank.areas, self._device)
        self._frames = Frames(params, params.sample_rate_hz, self._device)
        self._band_frames = Frames(params, params.band_rate_hz, self._device)

    def encode(self, sound: Sound) -> Mel:
        """Returns the spectrogram of each channel, (channels, bands, params.columns(samples)).

        The sound must have at least two samples; it is mirrored at its ends, as in torchaudio.
        """
        columns = self.params.columns(len(sound))
        mel = np.empty((sound.shape[1], self.params.bands, columns), np.float32)
        for first in range(0, columns, _ENCODED):
            last = min(columns, first + _ENCODED)
            spectra = self._frames.analyse_padded(self._cut(sound, first, last))
            mel[..., first:last] = self._bank.bands(spectra).transpose(1, 2).cpu().numpy()
        return mel

    def decode(self, mel: Mel, guide: Sound | None, samples: int) -> Sound:
        """Returns sound with this spectrogram and number of samples, (samples, channels).

        `guide` is sound that starts at the same time, with at least two samples and as many channels. It
        supplies the phases where it has the energy that `mel` requires, and the sound above the bands:
        decoding the guide's own spectrogram gives the guide.
        """
        hop, half = self.params.hop, self._frames.window // 2
        sound = np.zeros((samples, len(mel)), np.float32)
        for first, spectra in self._blocks(mel[..., : self.params.columns(samples)], guide):
            block = self._frames.synthesise(pad(spectra, (0, half + 1 - spectra.shape[-1])))
            unsure = _SHARED // 4 * hop if first else 0
            begin = first * hop + unsure
            part = block[:, half + unsure :][:, : samples - begin].T.cpu().numpy()
            if first:
                earlier = sound[begin : begin + _SHARED // 2 * hop]
                fade = np.linspace(0, 1, len(earlier), dtype=np.float32)[:, None]
                part[: len(earlier)] = earlier + fade * (part[: len(earlier)] - earlier)
            sound[begin : begin + len(part)] = part
        return sound

    def _blocks(self, mel: Mel, guide: Sound | None) -> Iterator[tuple[int, torch.Tensor]]:
        """Yields the first column and the spectra of blocks that share `_SHARED` columns."""
        columns, known = mel.shape[2], None
        for first in range(0, max(1, columns - _SHARED), self._block - _SHARED):
            last = min(columns, first + self._block)
            bands = torch.from_numpy(mel[..., first:last]).to(self._device).transpose(1, 2)
            led = None if guide is None else self._frames.analyse_padded(self._cut(guide, first, last))
            spectra = self._decoded(bands, led, known)
            known = spectra[:, self._block - _SHARED :]
            yield first, spectra if led is None else self._with_air(spectra, self._frames.unpadded(led))

    def _decoded(
        self, bands: torch.Tensor, guide: torch.Tensor | None, known: torch.Tensor | None
    ) -> torch.Tensor:
        """Returns spectra of a sound with these bands, (channels, columns, bins up to the highest band).

        `guide` contains padded spectra; `known` contains the spectra already found for the first columns.
        """
        targets = wanted = self._gains.targets(bands)
        spectra = phase.first_guess(self._gains.smooth(targets), self._frames.overlap, known)
        if guide is not None:
            led = self._frames.unpadded(guide)[..., : spectra.shape[-1]]
            targets = wanted * self._gains.bias(led, self._bank.bands(guide))
            spectra = phase.led(led, spectra, targets, self._gains)
        if known is not None:
            spectra = torch.cat([known, spectra[:, known.shape[1] :]], dim=1)
        spectra = phase.refined(spectra, targets, self._band_frames, self._gains, _ROUNDS)
        found = self._band_frames.analyse_padded(self._band_frames.synthesise(spectra))
        targets = wanted * self._gains.bias(self._band_frames.unpadded(found), self._bank.bands(found))
        return phase.refined(spectra, targets, self._band_frames, self._gains, _ROUNDS)

    def _with_air(self, spectra: torch.Tensor, guide: torch.Tensor) -> torch.Tensor:
        """Extends the spectra above the bands with the guide."""
        bins = spectra.shape[-1]
        top = slice(int(_AIR * bins), bins)
        ours, theirs = (each[..., top].abs().sum(dim=-1, keepdim=True) for each in (spectra, guide))
        gain = (ours / theirs.clamp(min=1e-3)).clamp(max=_LARGEST_AIR)
        return torch.cat([spectra, gain * guide[..., bins:]], dim=-1)

    def _cut(self, sound: Sound, first: int, last: int) -> torch.Tensor:
        """Returns the samples under the windows of columns [first, last), mirrored at the sound's ends."""
        hop, half, turn = self.params.hop, self._frames.window // 2, max(1, len(sound) - 1)
        places = np.abs(np.arange(first * hop - half, (last - 1) * hop + half)) % (2 * turn)
        cut = sound[np.minimum(places, 2 * turn - places)]
        return torch.from_numpy(np.ascontiguousarray(cut.T)).to(self._device)
