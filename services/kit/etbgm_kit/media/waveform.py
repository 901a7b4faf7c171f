"""Sound in memory; whole tracks are streamed in blocks of it."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""A block of sound: (samples, channels) float32, nominally in [-1, 1]."""
