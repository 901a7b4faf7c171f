"""Where a piece is cut into canvases, and how their sounds become one again.

Canvases lie on a grid of the piece, whatever cue is asked for: so every cue computes the same
samples for the same moment. Neighbours share a second, in which one fades into the other.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from etbgm_riffusion.composer.sound.synth import Parts
from etbgm_riffusion.diffusion.types import CLIP
from etbgm_riffusion.types import Stereo

COLUMNS_PER_S = 100

WIDTH = 8 * CLIP - 7 * CLIP // 4
"""Columns of a canvas, 32 s: eight windows that share a quarter of a clip."""

STEP = 6 * CLIP
"""Columns from one canvas to the next: whole clips, so that clips side by side go on where they were."""

_GRAIN = 64
"""Canvases at the end of a piece are as wide as it takes, in multiples of this."""

_BLOCK = 1 << 15
"""Samples of a block handed on."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a canvas lies: its first column in the piece, and its columns."""

    start: int
    width: int

    @property
    def end(self) -> int:
        """The column after its last one."""
        return self.start + self.width


def places_of(duration_s: float) -> tuple[Place, ...]:
    """The canvases of a piece, in order; the last one ends after it, less than a second later."""
    columns = max(1, math.ceil(duration_s * COLUMNS_PER_S))
    starts = range(0, max(1, columns - (WIDTH - STEP)), STEP)
    return tuple(Place(start, min(WIDTH, -(-(columns - start) // _GRAIN) * _GRAIN)) for start in starts)


def reaching(places: tuple[Place, ...], first: int, last: int, sample_rate_hz: int) -> tuple[Place, ...]:
    """Those that sound in samples [first, last) of the piece."""
    column = sample_rate_hz // COLUMNS_PER_S
    return tuple(place for place in places if place.end * column > first and place.start * column < last)


def joined(
    places: tuple[Place, ...],
    sound_of: Callable[[Place], Stereo],
    first: int,
    last: int,
    sample_rate_hz: int,
) -> Iterator[Parts]:
    """Samples [first, last) of the piece in blocks of one part.

    `places` are those of `reaching`; `sound_of` gives the sound of each, as long as it is
    wide, at `sample_rate_hz`.
    """
    column = sample_rate_hz // COLUMNS_PER_S
    before: tuple[int, Stereo] | None = None
    for number, place in enumerate(places):
        start, sound = place.start * column, sound_of(place)
        own_end = places[number + 1].start * column if number + 1 < len(places) else place.end * column
        here = sound[: own_end - start].copy()
        if before is not None:
            old = before[1][start - before[0] :]
            here[: len(old)] = _faded(old, here[: len(old)])
        for begin in range(max(first, start), min(last, own_end), _BLOCK):
            yield here[None, begin - start : min(begin + _BLOCK, last, own_end) - start]
        before = start, sound


def _faded(old: Stereo, new: Stereo) -> Stereo:
    """From `old` to `new`, level, however alike they are.

    Both follow the same seed, but not to the wave: gains that add up to 1 fit sounds that
    are equal, and would lose up to 3 dB in the middle of others, so they are divided by what
    their mean square comes to at this correlation (M. Fink et al., "Signal-matched
    power-complementary cross-fading", DAFx 2016). Hardly anything of a canvas's ends is
    heard, where it knows no neighbours.
    """
    rising = np.sin((np.arange(len(old)) + 0.5) / len(old) * (np.pi / 2)) ** 2
    energies = [float(np.sum(a * b, dtype=np.float64)) for a, b in ((old, old), (new, new), (old, new))]
    alike = max(0.0, energies[2] / max(1e-12, math.sqrt(energies[0] * energies[1])))
    level = np.sqrt(rising**2 + (1 - rising) ** 2 + 2 * alike * rising * (1 - rising))
    gains = (np.stack([1 - rising, rising]) / level).astype(np.float32)[:, :, None]
    faded: Stereo = gains[0] * old + gains[1] * new
    return faded
