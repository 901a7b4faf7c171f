"""Measures the true peak of a finished file's decoded sound."""

from pathlib import Path

import numpy as np

from etbgm_mixer.loudness import SAMPLE_RATE_HZ
from etbgm_mixer.media import commands, ffmpeg
from etbgm_mixer.mixing.limiter import true_peaks

OVERLAP = 32
"""Samples that each block shares with the next, because the interpolation needs neighbours."""


def of_sound(media: Path, timeout_s: float) -> tuple[float, float]:
    """Returns the true peak of the first audio stream in dBTP (BS.1770-4, annex 2) and its length in seconds.

    The peak of silence is -inf.
    """
    peak, samples = 0.0, 0
    before = np.zeros((OVERLAP, 2), np.float32)
    sound = commands.source(media)["a:0"]
    command = commands.piping(sound, ac=2, ar=SAMPLE_RATE_HZ, f="f32le")
    for block in ffmpeg.samples(command, 2, SAMPLE_RATE_HZ, timeout_s):
        heard = np.concatenate([before, block])
        before = heard[-OVERLAP:]
        samples += len(block)
        peak = max(peak, float(np.abs(heard).max(initial=0.0)))
        peak = max(peak, float(true_peaks(heard, peak / 2).max(initial=0.0)))
    return float(20 * np.log10(peak)) if peak else -np.inf, samples / SAMPLE_RATE_HZ
