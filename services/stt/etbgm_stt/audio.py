"""Reads sound of any format as blocks of 16 kHz mono."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
import soxr

from etbgm_kit.errors import InvalidField
from etbgm_kit.media.quiet import LastingLevel
from etbgm_kit.media.vad import SAMPLE_RATE_HZ, Mono

BLOCK_S = 5.0
"""Short enough for smooth progress and 10 MB of 8-channel sound, long enough to add no overhead."""


class AudioFile:
    """A file that is read in blocks; memory use does not grow with its length."""

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file
        self.duration_s = file.frames / file.samplerate
        """The duration that the header states, which may be wrong."""

    def blocks(self) -> Iterator[Mono]:
        """Yields (samples,) float32 in [-1, 1] at 16 kHz; very quiet sound is raised.

        Reads the file twice, first to measure its level. Raises InvalidField for corrupt data.
        """
        level = LastingLevel(self._file.samplerate)
        for block in self._mono():
            level.feed(_finite(block))
        gain = level.gain()
        self._file.seek(0)
        resampler = soxr.ResampleStream(self._file.samplerate, SAMPLE_RATE_HZ, 1, dtype="float32")
        for block in self._mono():
            yield _finite(resampler.resample_chunk(block) * gain)
        yield _finite(resampler.resample_chunk(np.zeros(0, np.float32), last=True) * gain)

    def _mono(self) -> Iterator[Mono]:
        """Yields the mean of the channels, (samples,) at the file's rate."""
        size = round(BLOCK_S * self._file.samplerate)
        try:
            for block in self._file.blocks(size, dtype="float32", always_2d=True):
                yield block.mean(axis=1, dtype=np.float32)
        except soundfile.LibsndfileError as error:
            raise InvalidField("audio", f"cannot be read to its end: {error.error_string}") from error


@contextmanager
def open_audio(path: Path) -> Iterator[AudioFile]:
    """Opens a file that libsndfile can read. Raises InvalidField for any other file."""
    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise InvalidField("audio", f"cannot be read: {error.error_string}") from error
    with file:
        yield AudioFile(file)


def _finite(samples: Mono) -> Mono:
    # Float files may contain NaN or infinity; a single one would corrupt the detector's state.
    clipped: Mono = np.clip(np.nan_to_num(samples), -1, 1)
    return clipped
