"""Sound to spectrogram and back, block by block."""

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

_ENCODED = 128
"""Columns of a block of encoding: 18 MB of spectra for each channel."""

_DECODED = 512
_SEAM = 40
"""Columns that two blocks of decoding share; they are mixed in the middle of it."""

_ROUNDS = 32


class Codec:
    """Encodes and decodes with the numbers of `params` on one device.

    Deterministic; safe to use from several threads.
    """

    def __init__(self, params: SpectrogramParams, device: str = "cpu") -> None:
        self.params = params
        self._device = torch.device(device)
        self._padded = params.padded_ms * params.sample_rate_hz // 1000
        self._bank = MelBank(params, self._device)
        self._gains = BandGains(params, self._device)
        self._frames = Frames(params, params.sample_rate_hz, self._device)
        self._band_frames = Frames(params, params.band_rate_hz, self._device)
        self._bins = self._band_frames.window // 2 + 1

    def encode(self, sound: Sound) -> Mel:
        """The spectrogram of each channel, (channels, bands, params.columns(samples)).

        The sound, at least one sample, is mirrored at its ends, like torchaudio does.
        """
        columns = self.params.columns(len(sound))
        mel = np.empty((sound.shape[1], self.params.bands, columns), np.float32)
        for first in range(0, columns, _ENCODED):
            last = min(columns, first + _ENCODED)
            with torch.inference_mode():
                spectra = self._frames.analyse(self._cut(sound, first, last), self._padded)
                mel[..., first:last] = self._bank.bands(spectra).transpose(1, 2).cpu().numpy()
        return mel

    def decode(self, mel: Mel, guide: Sound | None, samples: int) -> Sound:
        """Sound of so many samples with this spectrogram, (samples, channels).

        `guide` is sound with the same time axis and as many channels. Its phases are used where
        it has the energy that `mel` asks for: the sound of a guide's own spectrogram is the guide.
        """
        hop, half = self.params.hop, self._frames.window // 2
        mel = mel[..., : self.params.columns(samples)]
        sound = np.zeros((samples, len(mel)), np.float32)
        for first, spectra in self._blocks(mel, guide):
            block = self._frames.synthesise(pad(spectra, (0, half + 1 - spectra.shape[-1])))
            unsure = _SEAM // 4 * hop if first else 0
            begin = first * hop + unsure
            part = block[:, half + unsure :][:, : samples - begin].T.cpu().numpy()
            if first:
                here = sound[begin : begin + _SEAM // 2 * hop]
                fade = np.linspace(0, 1, len(here), dtype=np.float32)[:, None]
                part[: len(here)] = here + fade * (part[: len(here)] - here)
            sound[begin : begin + len(part)] = part
        return sound

    def _blocks(self, mel: Mel, guide: Sound | None) -> Iterator[tuple[int, torch.Tensor]]:
        """First column and spectra of blocks that share `_SEAM` columns, up to `max_hz`."""
        columns, known = mel.shape[2], None
        for first in range(0, max(1, columns - _SEAM), _DECODED - _SEAM):
            last = min(columns, first + _DECODED)
            bands = torch.from_numpy(np.ascontiguousarray(mel[..., first:last])).to(self._device)
            targets = self._gains.targets(bands.transpose(1, 2))
            spectra = self._start(targets, guide, first, last, known)
            spectra = phase.refined(spectra, targets, self._band_frames, self._gains, _ROUNDS)
            known = spectra[:, _DECODED - _SEAM :]
            yield first, spectra

    def _start(
        self, targets: torch.Tensor, guide: Sound | None, first: int, last: int, known: torch.Tensor | None
    ) -> torch.Tensor:
        """Spectra to begin with: the block's before where they are shared, the guide's, or made up."""
        magnitudes = self._gains.magnitudes(targets)
        shared = 0 if known is None else known.shape[1]
        before = None if known is None else known[:, -1].angle()
        hops = self.params.window_ms // self.params.step_ms
        phases = phase.first_guess(magnitudes[:, shared:], hops, before)
        spectra = torch.polar(magnitudes[:, shared:], phases)
        if guide is not None:
            guided = self._frames.analyse(self._cut(guide, first + shared, last))[..., : self._bins]
            spectra = phase.led(guided, spectra, targets[:, shared:], self._gains)
        return spectra if known is None else torch.cat([known, spectra], dim=1)

    def _cut(self, sound: Sound, first: int, last: int) -> torch.Tensor:
        """The samples under the windows of columns [first, last), mirrored at the ends of the sound."""
        hop, half, turn = self.params.hop, self._frames.window // 2, max(1, len(sound) - 1)
        places = np.abs(np.arange(first * hop - half, (last - 1) * hop + half)) % (2 * turn)
        cut = sound[np.minimum(places, 2 * turn - places)]
        return torch.from_numpy(np.ascontiguousarray(cut.T)).to(self._device)
