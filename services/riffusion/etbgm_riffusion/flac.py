"""Writes the output files of engines: 24-bit stereo FLAC."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from etbgm_kit.artifacts.space import full_disk_seen
from etbgm_kit.media.waveform import FLAC_LEVEL

_FORMAT: dict[str, Any] = {"format": "FLAC", "compression_level": FLAC_LEVEL}
_FULL_SCALE = 2**23 - 1


@contextmanager
def writing(
    paths: Sequence[Path], sample_rate_hz: int
) -> Iterator[Callable[[Iterable[NDArray[np.float32]]], None]]:
    """Opens the files and yields a function that appends a block to each: (samples, 2), clipped at ±1.

    All files must be in one folder. Raises OSError if its disk is full.
    """
    with full_disk_seen(paths[0].parent, soundfile.LibsndfileError), ExitStack() as stack:
        files = [
            stack.enter_context(soundfile.SoundFile(path, "w", sample_rate_hz, 2, "PCM_24", **_FORMAT))
            for path in paths
        ]

        def write(blocks: Iterable[NDArray[np.float32]]) -> None:
            for file, block in zip(files, blocks, strict=True):
                # soundfile expects 24-bit samples in the upper bits of int32.
                file.write(np.rint(np.clip(block, -1, 1) * _FULL_SCALE).astype(np.int32) * 2**8)

        yield write
