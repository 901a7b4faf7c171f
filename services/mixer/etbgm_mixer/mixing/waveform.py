"""Summarises sound for drawing, in audiowaveform's data format (version 2, JSON).

Format: github.com/bbc/audiowaveform, doc/DataFormat.md.
"""

import json
from pathlib import Path

import numpy as np

from etbgm_kit.media.waveform import Samples
from etbgm_mixer import sound
from etbgm_mixer.loudness import SAMPLE_RATE_HZ

POINTS_PER_S = 20
"""Pairs per second: a player of 1000 pixels shows a minute in full detail."""

_SAMPLES = SAMPLE_RATE_HZ // POINTS_PER_S
_FULL_SCALE, _BITS = 127, 8


def waveform_json(path: Path) -> bytes:
    """Returns the least and the greatest sample of both channels in each 1/20 s, scaled to [-127, 127].

    `path` is a sound file at 48 kHz.
    """
    data: list[int] = []
    with sound.opened(path, "mixdown") as file:
        for block in sound.blocks(file):
            data += _pairs(block)
    return json.dumps(
        {
            "version": 2,
            "channels": 1,
            "sample_rate": SAMPLE_RATE_HZ,
            "samples_per_pixel": _SAMPLES,
            "bits": _BITS,
            "length": len(data) // 2,
            "data": data,
        },
        separators=(",", ":"),
    ).encode()


def _pairs(block: Samples) -> list[int]:
    """Returns alternating minima and maxima of a block of (samples, channels): one second, or the rest."""
    samples = block.ravel()
    starts = np.arange(0, len(samples), _SAMPLES * block.shape[1])
    least, greatest = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
    both = np.stack([least, greatest], axis=1).ravel()
    scaled: list[int] = np.clip(np.rint(both * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE).astype(int).tolist()
    return scaled
