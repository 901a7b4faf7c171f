"""Divides a piece into canvases, and joins their sounds.

Canvases lie on a fixed grid of the piece, regardless of the requested cue, so every cue computes the same
samples for the same moment. Neighbours overlap by a second, in which they cross-fade.
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
"""Columns of a canvas, 32 s: eight windows that overlap by a quarter of a clip."""

STEP = 6 * CLIP
"""Columns from one canvas to the next: whole clips, so that side-by-side clips stay on one grid."""

_GRAIN = 64
"""Canvases at the end of a piece are only as wide as needed, in multiples of this."""

_BLOCK = 1 << 15
"""Samples per yielded block."""


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a canvas: its first column in the piece, and its width in columns."""

    start: int
    width: int

    @property
    def end(self) -> int:
        """The column after its last one."""
        return self.start + self.width


def places_of(duration_s: float) -> tuple[Place, ...]:
    """Returns the canvases of a piece, in order; the last one ends less than a second after the piece."""
    columns = max(1, math.ceil(duration_s * COLUMNS_PER_S))
    starts = range(0, max(1, columns - (WIDTH - STEP)), STEP)
    return tuple(Place(start, min(WIDTH, -(-(columns - start) // _GRAIN) * _GRAIN)) for start in starts)


def reaching(places: tuple[Place, ...], first: int, last: int, sample_rate_hz: int) -> tuple[Place, ...]:
    """Returns the places that overlap samples [first, last) of the piece."""
    column = sample_rate_hz // COLUMNS_PER_S
    return tuple(place for place in places if place.end * column > first and place.start * column < last)


def joined(
    places: tuple[Place, ...],
    sound_of: Callable[[Place], Stereo],
    first: int,
    last: int,
    sample_rate_hz: int,
) -> Iterator[Parts]:
    """Yields samples [first, last) of the piece in blocks of one part.

    `places` come from `reaching`; `sound_of` returns the sound of each over its full width, at
    `sample_rate_hz`.
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
    """Fades from `old` to `new` at a constant level, however similar they are.

    Both follow the same seed spectrogram, but their waveforms differ. Gains that add up to 1 suit equal
    sounds, but lose up to 3 dB in the middle of different ones, so the gains are divided by the root mean
    square that results at this correlation (M. Fink et al., "Signal-matched power-complementary
    cross-fading", DAFx 2016). The ends of a canvas, computed without neighbours, are hardly audible.
    """
    rising = np.sin((np.arange(len(old)) + 0.5) / len(old) * (np.pi / 2)) ** 2
    energies = [float(np.sum(a * b, dtype=np.float64)) for a, b in ((old, old), (new, new), (old, new))]
    alike = max(0.0, energies[2] / max(1e-12, math.sqrt(energies[0] * energies[1])))
    level = np.sqrt(rising**2 + (1 - rising) ** 2 + 2 * alike * rising * (1 - rising))
    gains = (np.stack([1 - rising, rising]) / level).astype(np.float32)[:, :, None]
    faded: Stereo = gains[0] * old + gains[1] * new
    return faded
