"""Sound in memory. Whole tracks are streamed in such blocks."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""A block of sound: (samples, channels) float32, nominally in [-1, 1]."""

FLAC_LEVEL = 0.4
"""For libsndfile: libFLAC's level 3, whose files are 2 % larger than those of the default, level 5, in five
sixths of the time."""
