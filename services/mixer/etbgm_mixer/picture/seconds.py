"""What each second of a video looks like: its motion, and its light and colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from etbgm_kit.types import Cut
from etbgm_mixer.picture.cuts import Pictures
from etbgm_mixer.picture.groups import Floats, Groups
from etbgm_mixer.picture.small import Block

FRAME_S = 0.04
"""Motion is the difference of pictures this far apart: the pace of 25 Hz."""


@dataclass(frozen=True)
class Looks:
    """Second by second, (seconds,) each, and NaN where nothing was seen before the first picture.

    `motion` is the mean absolute difference of two pictures FRAME_S apart, 0 to 255, without cuts. `light`
    is the mean luma, `contrast` its standard deviation, both 0 to 1; `colour` the mean distance from grey,
    0 to 1, and `warmth` the mean of red over blue difference, -1 to 1.
    """

    motion: Floats
    light: Floats
    contrast: Floats
    colour: Floats
    warmth: Floats


class Seconds:
    """Adds up what is seen, second by second."""

    def __init__(self, duration_s: float) -> None:
        self._count = max(1, int(np.ceil(duration_s)))
        self._sums = np.zeros((self._count, 5))  # pictures, light, contrast, colour, warmth
        self._motion = np.zeros((self._count, 2))  # seconds, motion

    def see(self, time_s: float, picture: Pictures) -> None:
        """Takes a picture (height, width, 3), or the upper part of one."""
        self._sums[self._second(time_s)] += (1.0, *_light(picture))

    def watch(self, block: Block, hard: Sequence[Cut], fresh: tuple[float, float]) -> None:
        """Takes the pictures of a block whose times are `fresh`, and their motion."""
        times_s = block.times_s
        apart_s = np.maximum(np.diff(times_s), 1e-3)
        motion = block.steps * np.minimum(1.0, FRAME_S / apart_s)
        at_cut = np.isin(times_s[1:], [cut.time_s for cut in hard])
        for i in np.flatnonzero(~at_cut & (times_s[1:] >= fresh[0]) & (times_s[1:] < fresh[1])).tolist():
            at = self._second(float(times_s[i + 1]))
            self._motion[at] += (apart_s[i], motion[i] * apart_s[i])
        for i in range(0, len(times_s), 5):
            if fresh[0] <= times_s[i] < fresh[1]:
                self.see(float(times_s[i]), block.pictures[i, : block.rows[i]])

    def estimate(self, groups: Groups) -> None:
        """Fills in the motion of seconds that were not watched, from the bytes per second of their group.

        The scale is that of the watched seconds of the same video: it depends on the encoder and its quality.
        """
        watched = self._motion[:, 0] > 0
        first = np.floor(np.clip(groups.starts_s, 0, self._count - 1)).astype(int)
        rate = np.zeros(self._count)
        for at, end_s, value in zip(first, groups.ends_s, groups.rate, strict=True):
            rate[at : self._second(float(end_s)) + 1] = value
        known = watched & (rate > 0)
        scale = (
            float(np.median(self._motion[known, 1] / self._motion[known, 0] / rate[known]))
            if known.any()
            else 0
        )
        self._motion[~watched] = np.stack([np.ones(self._count), scale * rate], axis=1)[~watched]

    def looks(self) -> Looks:
        """Returns the looks; seconds without a picture look like the last one before."""
        with np.errstate(invalid="ignore", divide="ignore"):
            means = self._sums[:, 1:] / self._sums[:, :1]
            motion = self._motion[:, 1] / self._motion[:, 0]
        light, contrast, colour, warmth = (_held(column) for column in means.T)
        return Looks(np.nan_to_num(motion), light, contrast, colour, warmth)

    def _second(self, time_s: float) -> int:
        return min(self._count - 1, max(0, int(time_s)))


def _light(picture: Pictures) -> tuple[float, float, float, float]:
    luma = picture[..., 0] / 255.0
    blue, red = picture[..., 1] / 127.5 - 1, picture[..., 2] / 127.5 - 1
    return (
        float(luma.mean()),
        float(luma.std()),
        float(np.hypot(blue, red).mean()),
        float((red - blue).mean()) / 2,
    )


def _held(values: Floats) -> Floats:
    """Replaces NaN by the last number before, or the first one."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return np.zeros_like(values)
    places = np.searchsorted(known, np.arange(len(values)), side="right") - 1
    held: Floats = values[known[np.maximum(places, 0)]]
    return held
