"""Measures the true peak of a finished file's decoded sound."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from etbgm_kit.media.waveform import Samples
from etbgm_mixer.loudness import SAMPLE_RATE_HZ
from etbgm_mixer.media import commands, ffmpeg
from etbgm_mixer.mixing.limiter import EDGE, true_peaks

OVERLAP = 2 * EDGE
"""Samples that each block shares with the next, because the interpolation needs neighbours."""

_FRAMES = 47
"""AAC frames per block, one second."""


def of_video(media: Path, timeout_s: float) -> tuple[float, float]:
    """Returns the true peak of the first audio stream in dBTP (BS.1770-4, annex 2) and its length in seconds.

    The peak of silence is -inf.
    """
    sound = commands.source(media)["a:0"]
    command = commands.piping(sound, ac=2, ar=SAMPLE_RATE_HZ, f="f32le")
    return of_blocks(ffmpeg.samples(command, 2, SAMPLE_RATE_HZ, timeout_s))


def of_preview(preview: Path) -> float:
    """Returns the true peak of a file that `mux.encoder` wrote, in dBTP.

    It is decoded in this process: unlike a video it is not hostile, and starting a program takes as long.
    """
    return of_blocks(_decoded(preview))[0]


def of_blocks(blocks: Iterable[Samples]) -> tuple[float, float]:
    """Returns the true peak, in dBTP, and the length, in seconds, of blocks of (samples, 2)."""
    peak, samples = 0.0, -OVERLAP
    before = silence = np.zeros((OVERLAP, 2), np.float32)
    for block in itertools.chain(blocks, [silence]):
        heard = np.concatenate([before, block])
        before = heard[-OVERLAP:]
        samples += len(block)
        peak = max(peak, float(true_peaks(heard, peak)[EDGE:-EDGE].max(initial=0.0)))
    return float(20 * np.log10(peak)) if peak else -np.inf, samples / SAMPLE_RATE_HZ


def _decoded(preview: Path) -> Iterator[Samples]:
    import av

    with av.open(str(preview)) as file:
        held: list[Samples] = []
        for frame in file.decode(audio=0):
            held.append(frame.to_ndarray().T.astype(np.float32, copy=False))
            if len(held) == _FRAMES:
                yield np.concatenate(held)
                held = []
        if held:
            yield np.concatenate(held)
