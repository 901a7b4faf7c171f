"""How far sounds are from a data set, and what is wrong with them: functions of sounds and pictures."""

from collections.abc import Sequence

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from etbgm_riffusion.dataset.features import RATE_HZ, WINDOW, mono, spectrogram
from etbgm_riffusion.diffusion.types import Pixels
from etbgm_riffusion.types import Stereo

_MFCC, _MELS = 20, 64
_FLOOR_DB = -80.0
Vector = NDArray[np.float64]


def mfcc_distance(sounds: Sequence[Stereo], others: Sequence[Stereo], rate_hz: int) -> float:
    """Returns the Fréchet distance of the frames' MFCCs, taken as normally distributed.

    The formula of K. Kilgour et al., "Fréchet audio distance" (2019), on 20 MFCCs without the first, which
    is the level, instead of a network's embeddings.
    """
    (mean, spread), (mean2, spread2) = (_gaussian(_mfcc(each, rate_hz)) for each in (sounds, others))
    both = sqrtm(spread @ spread2)
    return float(((mean - mean2) ** 2).sum() + np.trace(spread + spread2 - 2 * np.real(both)))


def spectral_distance_db(sounds: Sequence[Stereo], others: Sequence[Stereo], rate_hz: int) -> float:
    """Returns how much the statistics of log-mel spectra differ, in dB.

    The root mean square, over 64 bands, of the differences of their means and standard deviations in time;
    both sets are brought to the same mean level first.
    """
    stats = [_band_statistics(each, rate_hz) for each in (sounds, others)]
    return float(np.sqrt(np.mean((stats[0] - stats[1]) ** 2)))


def seam(pixels: Pixels, columns: Sequence[int], scale: int = 8) -> float:
    """Returns how much the steps at `columns`, where windows begin, stand out; 0: not at all.

    |ln| of the ratio of the step between neighbouring latents there to the median step, the largest. A latent
    has `scale` columns, between which pictures change more than within.
    """
    steps = np.abs(np.diff(pixels, axis=2)).mean((0, 1))[scale - 1 :: scale]
    places = [column // scale - 1 for column in columns]
    return max((float(abs(np.log(steps[place] / np.median(steps)))) for place in places), default=0.0)


def repetition(pixels: Pixels, lag: int) -> float:
    """Returns the correlation of a picture with itself `lag` columns later, in [-1, 1]; 1: it repeats."""
    levels = pixels.mean(axis=0) - pixels.mean(axis=(0, 2))[:, None]
    one, other = levels[:, :-lag].ravel(), levels[:, lag:].ravel()
    return float((one * other).sum() / max(float(np.sqrt((one**2).sum() * (other**2).sum())), 1e-12))


def _mfcc(sounds: Sequence[Stereo], rate_hz: int) -> Vector:
    """Returns the coefficients of all frames, (frames, 19)."""
    found = [librosa.feature.mfcc(y=mono(sound, rate_hz), sr=RATE_HZ, n_mfcc=_MFCC)[1:] for sound in sounds]
    return np.concatenate(found, axis=1).T.astype(np.float64)


def _gaussian(frames: Vector) -> tuple[Vector, Vector]:
    return frames.mean(axis=0), np.cov(frames, rowvar=False)


def _band_statistics(sounds: Sequence[Stereo], rate_hz: int) -> Vector:
    """Returns means and standard deviations of the bands in dB, (2, 64)."""
    bank = librosa.filters.mel(sr=RATE_HZ, n_fft=WINDOW, n_mels=_MELS)
    powers = (bank @ spectrogram(mono(sound, rate_hz)) ** 2 for sound in sounds)
    levels = np.concatenate([librosa.power_to_db(power, ref=np.max) for power in powers], axis=1)
    levels = np.maximum(levels, _FLOOR_DB).astype(np.float64)
    return np.stack([levels.mean(axis=1) - levels.mean(), levels.std(axis=1)])
