"""Sound in memory. Whole tracks are streamed in such blocks."""

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
"""A block of sound: (samples, channels) float32, nominally in [-1, 1]."""
