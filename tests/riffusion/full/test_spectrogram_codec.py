"""Sound to spectrogram and back."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from etbgm_riffusion.spectrogram.codec import Codec, Sound
from etbgm_riffusion.spectrogram.image import Mel, load, to_pixels
from etbgm_riffusion.spectrogram.params import SpectrogramParams

CLIP = "riffusion/clip_2_start_103694_ms_duration_5678_ms"
RATE_HZ = 44100


@pytest.fixture(scope="session")
def codec() -> Codec:
    return Codec(SpectrogramParams(stereo=True))


@pytest.fixture(scope="session")
def clip(test_data: Path) -> Sound:
    """The sound of Riffusion's image, 5.678 s of stereo."""
    sound: Sound = soundfile.read(test_data / f"{CLIP}.wav", dtype="float32")[0]
    return sound


def distance_db(found: Mel, wanted: Mel) -> float:
    """Log-spectral distance, down to 80 dB below the peak."""
    floor = wanted.max() * 1e-4
    decibels = 20 * np.log10(np.maximum(found, floor) / np.maximum(wanted, floor))
    return float(np.sqrt((decibels**2).mean(axis=1)).mean())


def test_the_clip_gives_riffusions_image(codec: Codec, test_data: Path, clip: Sound) -> None:
    image = to_pixels(*load_pixels(test_data / f"{CLIP}_stereo.png"))
    mel = codec.encode(clip)
    off = np.abs(to_pixels(mel, mel.max()).astype(int) - image)
    assert off.max() <= 1
    assert off.mean() < 0.001


def load_pixels(path: Path) -> tuple[Mel, float]:
    mel, _ = load(path)
    return mel, float(mel.max())


def test_riffusions_image_gives_the_clip(codec: Codec, test_data: Path, clip: Sound) -> None:
    mel, _ = load(test_data / f"{CLIP}_stereo.png")
    sound = codec.decode(mel, None, len(clip))
    assert sound.shape == clip.shape
    assert distance_db(codec.encode(sound), codec.encode(clip)) < 1.6
