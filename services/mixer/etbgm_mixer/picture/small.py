"""Small pictures: HEIGHT × WIDTH × 3, uint8, Y, Cb, Cr, whatever the size, shape and depth of a frame."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from etbgm_mixer.picture.tone import TRANSFERS, as_standard

WIDTH, HEIGHT = 64, 36

Small = NDArray[np.uint8]
"""A small picture, (HEIGHT, WIDTH, 3), of limited range; high dynamic range is mapped to standard range."""


class Shrinker:
    """Makes frames small, with one scaler for all: to set one up takes longer than to use it."""

    def __init__(self) -> None:
        from av.video.reformatter import VideoReformatter

        self._scaler = VideoReformatter()

    def small(self, frame: Any) -> Small:
        """Returns the small picture of a decoded frame."""
        scaled: Any = self._scaler.reformat(frame, WIDTH, HEIGHT, "yuv444p", interpolation="AREA")
        planes = [
            np.frombuffer(plane, np.uint8).reshape(HEIGHT, plane.line_size)[:, :WIDTH]
            for plane in scaled.planes
        ]
        picture = np.stack(planes, axis=-1)
        return as_standard(picture, frame.color_trc) if frame.color_trc in TRANSFERS else picture
