"""What the product made when somebody last listened: results that a test compares with those of now.

A difference is no error by itself: whoever changes notes or sound on purpose listens, then
writes the new results with `ETBGM_WRITE_GOLDEN=1 python -m pytest tests -k golden`, and
the reviewer sees in them how far the output moved.
"""

import itertools
import json
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "golden"

BANDS_HZ = (0, 150, 400, 1000, 2500, 6000, 24000)
"""Edges of the bands in which sound is compared."""

BLOCK_S = 0.5
FLOOR_DB = -70.0
"""Below it differences are not heard."""

TOLERANCE_DB = 0.3
"""More than processors and versions of libraries differ by, less than anyone hears."""


def kept(name: str, found: object) -> object:
    """What is kept under `name`, after writing `found` there if that was asked for."""
    path = FOLDER / f"{name}.json"
    if os.environ.get("ETBGM_WRITE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        path.write_text(json.dumps(found) + "\n")
    result: object = json.loads(path.read_text())
    return result


def levels_db(sound: NDArray[np.float32], sample_rate_hz: int) -> list[list[float]]:
    """The level of each block and band of (samples, channels), whose energies are added."""
    size = round(BLOCK_S * sample_rate_hz)
    edges = np.array(BANDS_HZ) * BLOCK_S
    levels = []
    for first in range(0, len(sound) - size + 1, size):
        block = sound[first : first + size].astype(np.float64)
        energies = (np.abs(np.fft.rfft(block, axis=0) / size) ** 2).sum(axis=1)
        bands = [energies[int(low) : int(high)].sum() for low, high in itertools.pairwise(edges)]
        levels.append([round(max(FLOOR_DB, 10 * np.log10(band + 1e-20)), 2) for band in bands])
    return levels


def assert_sounds_as_kept(name: str, sound: NDArray[np.float32], sample_rate_hz: int) -> None:
    """Fails where a block and band is off by more than TOLERANCE_DB."""
    found = levels_db(sound, sample_rate_hz)
    before = np.array(kept(name, found))
    assert before.shape == np.array(found).shape, f"{name} has another length than before"
    worst = float(np.abs(before - found).max())
    assert worst <= TOLERANCE_DB, (
        f"{name} sounds different, by up to {worst:.2f} dB: if that was meant, see tests/golden.py"
    )
