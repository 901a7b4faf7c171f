"""Reads, writes and resamples sound files in blocks."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from etbgm_kit.artifacts.space import full_disk_seen
from etbgm_kit.errors import InvalidField
from etbgm_kit.media.waveform import FLAC_LEVEL, Samples
from etbgm_mixer.loudness import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import soundfile

BLOCK = SAMPLE_RATE_HZ
"""Samples per block, one second."""


@contextmanager
def opened(path: Path, field: str) -> Iterator["soundfile.SoundFile"]:
    """Opens a sound file. Raises InvalidField for `field` unless it is mono or stereo at 48 kHz."""
    import soundfile

    try:
        file = soundfile.SoundFile(path)
    except soundfile.LibsndfileError:
        raise InvalidField(field, "is no sound that can be read") from None
    with file:
        if file.samplerate != SAMPLE_RATE_HZ or file.channels > 2:
            what = f"{file.channels} channels at {file.samplerate} Hz"
            raise InvalidField(field, f"must be mono or stereo at {SAMPLE_RATE_HZ} Hz, has {what}")
        yield file


@contextmanager
def created(path: Path, channels: int) -> Iterator["soundfile.SoundFile"]:
    """Creates a sound file at 48 kHz: 24-bit FLAC for .flac, otherwise RF64 with 32-bit floats.

    Raises OSError if the disk is full.
    """
    import soundfile

    kind = (
        {"format": "FLAC", "subtype": "PCM_24", "compression_level": FLAC_LEVEL}
        if path.suffix == ".flac"
        else {"format": "RF64", "subtype": "FLOAT"}
    )
    with (
        full_disk_seen(path.parent, soundfile.LibsndfileError),
        soundfile.SoundFile(path, "w", SAMPLE_RATE_HZ, channels, **kind) as file,
    ):
        yield file


def blocks(file: "soundfile.SoundFile") -> Iterator[Samples]:
    """Yields the rest of the file in blocks of (samples, channels)."""
    while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
        yield block


def resampled(stream: Iterable[Samples], from_hz: int, to_hz: int, channels: int) -> Iterator[Samples]:
    """Resamples blocks of (samples, channels) without delay; block lengths vary."""
    import soxr

    if from_hz == to_hz:
        yield from stream
        return
    resampler = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32")
    for block in stream:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros((0, channels), np.float32), last=True)


def read_stereo(file: "soundfile.SoundFile", count: int) -> Samples:
    """Reads the next (count, 2) samples, fewer at the end; mono goes to both channels."""
    block: Samples = file.read(count, dtype="float32", always_2d=True)
    return np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block


def exactly(block: Samples, length: int) -> Samples:
    """Pads the block with silence or cuts it to `length` samples."""
    if len(block) >= length:
        return block[:length]
    return np.concatenate([block, np.zeros((length - len(block), block.shape[1]), np.float32)])


@contextmanager
def maybe_opened(path: Path | None, field: str) -> Iterator[Callable[[int], Samples]]:
    """Yields a function that reads the next (count, 2) samples: silence after the end or without a file."""
    if path is None:
        yield lambda count: np.zeros((count, 2), np.float32)
        return
    with opened(path, field) as file:
        yield lambda count: exactly(read_stereo(file, count), count)
