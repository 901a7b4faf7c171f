"""Small pictures: HEIGHT × WIDTH × 3, uint8, Y, Cb, Cr, whatever the size, shape and depth of a frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from etbgm_mixer.picture.tone import TRANSFERS, as_standard

WIDTH, HEIGHT = 64, 36

Small = NDArray[np.uint8]
"""A small picture, (HEIGHT, WIDTH, 3), of limited range; high dynamic range is mapped to standard range."""


class Sight(NamedTuple):
    """A small picture at `time_s`, of which the upper `rows` are decoded."""

    time_s: float
    picture: Small
    rows: int = HEIGHT


@dataclass(frozen=True)
class Block:
    """Pictures in a row: times (n,), pictures (n, HEIGHT, WIDTH, 3), and how many upper rows are decoded."""

    times_s: NDArray[np.float64]
    pictures: NDArray[np.uint8]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, sights: Sequence[Sight]) -> "Block":
        """Returns at least one sight as a block."""
        times_s, pictures, rows = zip(*sights, strict=True)
        return cls(np.array(times_s), np.stack(pictures), np.array(rows))

    def __len__(self) -> int:
        return len(self.times_s)

    @cached_property
    def steps(self) -> NDArray[np.float64]:
        """The mean absolute difference of each picture from the one before, (n - 1,), 0 to 255."""
        values = self.pictures.astype(np.int16)
        by_row = np.abs(np.diff(values, axis=0)).mean(2) @ np.array([0.5, 0.25, 0.25])
        rows = np.minimum(self.rows[1:], self.rows[:-1])
        sizes: NDArray[np.float64] = np.cumsum(by_row, axis=1)[np.arange(len(rows)), rows - 1] / rows
        return sizes


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
