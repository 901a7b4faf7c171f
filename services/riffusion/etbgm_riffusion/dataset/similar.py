"""Finds clips that sound alike by a perceptual hash of their spectrograms.

The hash is that of images known as pHash (C. Zauner, "Implementation and benchmarking of perceptual image
hash functions", 2010): the signs of the lowest frequencies of the picture's cosine transform.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

from etbgm_riffusion.spectrogram.image import Pixels

_SIDE, _KEPT = 32, 8
ALIKE_BITS = 3
"""Clips whose hashes differ in at most this many of 64 bits count as duplicates.

On recorded and composed music, repeats of a loop differ in 0 to 2 bits, other clips of one piece in 4 and
more (`tests/riffusion/full/test_dataset_build.py`)."""


def fingerprint(pixels: Pixels) -> str:
    """Returns 64 bits in hexadecimal for an image (bands, columns, 3), whose sides are multiples of 32."""
    grey = pixels[..., 1:].mean(axis=2)
    rows, columns = (size // _SIDE for size in grey.shape)
    small = grey.reshape(_SIDE, rows, _SIDE, columns).mean(axis=(1, 3))
    low = dctn(small, norm="ortho")[:_KEPT, :_KEPT].ravel()
    bits = low > np.median(low)
    return np.packbits(bits).tobytes().hex()


def duplicates(fingerprints: Sequence[str], alike_bits: int = ALIKE_BITS) -> list[bool]:
    """Returns for each fingerprint whether an earlier one that is kept is alike."""
    kept = np.zeros(len(fingerprints), np.uint64)
    count, found = 0, []
    for fingerprint in fingerprints:
        number = np.uint64(int(fingerprint, 16))
        alike = bool((_distances(kept[:count], number) <= alike_bits).any())
        found.append(alike)
        if not alike:
            kept[count] = number
            count += 1
    return found


def _distances(numbers: NDArray[np.uint64], number: np.uint64) -> NDArray[np.uint8]:
    counts: NDArray[np.uint8] = np.bitwise_count(numbers ^ number)
    return counts
