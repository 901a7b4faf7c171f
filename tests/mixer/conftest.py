"""Small clips that ffmpeg makes, and sounds that the tests reckon with."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from etbgm_mixer.media.probe import Limits

RATE_HZ = 48000
PICTURE = "testsrc=s=160x120:r=25:d=2"
Sound = NDArray[np.float32]
MakeClip = Callable[..., Path]


@pytest.fixture(scope="session")
def limits() -> Limits:
    return Limits(
        max_size_bytes=1 << 30, max_duration_s=600, max_pixels=1 << 24, max_streams=8, probe_timeout_s=15
    )


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    """Runs ffmpeg on test sources: `make_clip("name.mp4", *options)` with a picture of 2 s and a tone."""

    def make(
        name: str, *options: str, picture: str = "testsrc=s=160x120:r=25:d=2", tone: bool = True
    ) -> Path:
        sources = ["-f", "lavfi", "-i", picture]
        sources += ["-f", "lavfi", "-i", "sine=440:d=2:r=48000"] if tone else []
        path = tmp_path / name
        subprocess.run(["ffmpeg", "-v", "error", "-y", *sources, *options, path], check=True)
        return path

    return make


def write(path: Path, sound: Sound) -> Path:
    """A 24-bit FLAC of (samples, channels)."""
    soundfile.write(path, sound, RATE_HZ, subtype="PCM_24")
    return path


def noise(seconds: float, level_db: float = -20.0, seed: int = 1, channels: int = 2) -> Sound:
    """White noise of that RMS level, (samples, channels)."""
    samples = np.random.default_rng(seed).standard_normal((round(seconds * RATE_HZ), channels))
    return (samples * 10 ** (level_db / 20)).astype(np.float32)


def sine(seconds: float, level_db: float, frequency_hz: float = 1000.0, phase: float = 0.0) -> Sound:
    """A sine of that peak level on both channels, (samples, 2)."""
    times_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * frequency_hz * times_s + phase)
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)
