"""Spectrograms as Riffusion's images, and back."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from etbgm_riffusion.spectrogram.image import Mel, from_pixels, load, save, to_pixels
from etbgm_riffusion.spectrogram.params import SpectrogramParams

CLIP = "riffusion/clip_2_start_103694_ms_duration_5678_ms"


def some_mel(channels: int) -> Mel:
    chance = np.random.default_rng(3)
    mel: Mel = (400 * chance.random((channels, 512, 30)) ** 6).astype(np.float32)
    return mel


@pytest.mark.parametrize(("name", "stereo"), [(f"{CLIP}.png", False), (f"{CLIP}_stereo.png", True)])
def test_riffusions_own_images_are_read_and_written_again(
    test_data: Path, tmp_path: Path, name: str, stereo: bool
) -> None:
    mel, params = load(test_data / name)
    assert params == SpectrogramParams(stereo=stereo)
    assert mel.shape == (params.channels, 512, 568)
    save(mel, params, tmp_path / "again.png")
    with Image.open(test_data / name) as theirs, Image.open(tmp_path / "again.png") as ours:
        assert np.array_equal(np.asarray(theirs), np.asarray(ours))
        assert dict(theirs.getexif()) == pytest.approx(dict(ours.getexif()), rel=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_magnitudes_survive_the_image(channels: int, tmp_path: Path) -> None:
    """To a pixel: 1/255 of the fourth root of the peak."""
    mel, params = some_mel(channels), SpectrogramParams(stereo=channels == 2)
    save(mel, params, tmp_path / "image.png")
    found, read = load(tmp_path / "image.png")
    assert read == params
    assert np.abs((found / mel.max()) ** 0.25 - (mel / mel.max()) ** 0.25).max() < 1 / 255


def test_low_bands_are_at_the_bottom_left_is_green_and_right_is_blue() -> None:
    mel = np.zeros((2, 512, 4), np.float32)
    mel[0, 0, 0] = mel[1, 511, 3] = 1
    pixels = to_pixels(mel, 1)
    assert pixels.shape == (512, 4, 3)
    assert pixels[511, 0].tolist() == [0, 0, 255]
    assert pixels[0, 3].tolist() == [0, 255, 0]
    grey = to_pixels(mel[:1], 1)
    assert grey[511, 0].tolist() == [0, 0, 0]
    assert grey[0, 3].tolist() == [255, 255, 255]


def test_painted_colours_of_mono_are_averaged_and_values_between_pixels_are_kept() -> None:
    painted = np.full((512, 1, 3), 255, np.float32)
    painted[511, 0] = [0, 127.5, 255]
    assert from_pixels(painted, stereo=False, peak=16)[0, :2, 0] == pytest.approx([1, 0])


def test_what_is_louder_than_the_peak_gets_the_peak_and_silence_stays_silent() -> None:
    mel = some_mel(1)
    assert from_pixels(to_pixels(mel, 100), stereo=False, peak=100).max() == 100
    assert (to_pixels(np.zeros_like(mel), 0) == 255).all()


def test_an_image_without_tags_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (64, 512)).save(tmp_path / "plain.png")
    with pytest.raises(ValueError, match=r"plain\.png is no spectrogram image"):
        load(tmp_path / "plain.png")


def test_other_heights_than_the_tags_tell_are_refused(tmp_path: Path) -> None:
    save(some_mel(1), SpectrogramParams(), tmp_path / "image.png")
    with Image.open(tmp_path / "image.png") as image:
        image.crop((0, 0, 30, 256)).save(tmp_path / "half.png", exif=image.getexif())
    with pytest.raises(ValueError, match="256 rows"):
        load(tmp_path / "half.png")


@pytest.mark.parametrize(
    "wrong",
    [{"sample_rate_hz": 0}, {"sample_rate_hz": 16000}, {"max_hz": 33}, {"step_ms": 200}, {"bands": 0}],
)
def test_numbers_that_make_no_spectrogram_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"ms|bands"):
        SpectrogramParams(**wrong)
