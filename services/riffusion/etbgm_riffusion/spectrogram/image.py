"""Spectrograms as images, in Riffusion's layout.

Low frequencies are at the bottom. Mono is grey; stereo has the left channel in green, the right in blue,
and no red. EXIF tags hold the parameters. Riffusion's samples were 16-bit integers, so the peak is stored
on that scale.
"""

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from etbgm_riffusion.spectrogram.params import SpectrogramParams

Mel = NDArray[np.float32]
"""Magnitudes, (channels, bands, columns) float32 ≥ 0, the lowest band first."""

Pixels = NDArray[np.uint8]
"""(bands, columns, 3), the highest band first; 255 is silence."""

_FULL_SCALE = 32768

_ROUNDING = 0.001
"""Riffusion truncates pixels to integers; this keeps values that are already integers from losing one."""

_COMPRESSION = {"compress_level": 2, "compress_type": zlib.Z_RLE}
"""A fifth faster than zlib's level 2 with its default strategy, and 10 % smaller: longer matches are rare."""

_MAX_VALUE = 11080
_TAGS = {
    11000: "sample_rate_hz",
    11005: "stereo",
    11010: "step_ms",
    11020: "window_ms",
    11030: "padded_ms",
    11040: "bands",
    11050: "min_hz",
    11060: "max_hz",
    11070: "power",
}
_TRIPLE = 11007
"""Set if the three colours are three neighbouring bands: a layout that is not supported here."""


def to_pixels(mel: Mel, peak: float, power: float = 0.25) -> Pixels:
    """Returns an image of one or two channels; magnitudes of `peak` and above become 0."""
    share = np.clip(mel / peak, 0, 1) if peak > 0 else np.zeros_like(mel)
    levels = (255 + _ROUNDING - 255 * share**power).astype(np.uint8)[:, ::-1]
    colours = np.stack([np.zeros_like(levels[0]), *levels]) if len(levels) == 2 else np.repeat(levels, 3, 0)
    return np.ascontiguousarray(colours.transpose(1, 2, 0))


def from_pixels(pixels: NDArray[np.generic], stereo: bool, peak: float, power: float = 0.25) -> Mel:
    """Returns the magnitudes, (2 if stereo else 1, bands, columns).

    `pixels` (bands, columns, 3) are in [0, 255] and may be float. Mono is the mean of the colours,
    because a model that paints them does not keep them equal.
    """
    colours = pixels[::-1].astype(np.float32).transpose(2, 0, 1)
    levels = colours[1:] if stereo else colours.mean(axis=0, keepdims=True)
    return (peak * np.clip(1 - levels / 255, 0, 1) ** (1 / power)).astype(np.float32)


def save(mel: Mel, params: SpectrogramParams, path: Path, peak: float | None = None) -> Pixels:
    """Writes a PNG with Riffusion's EXIF tags and returns its pixels; `peak` is the largest magnitude."""
    from PIL import Image

    peak = float(mel.max()) if peak is None else peak
    pixels = to_pixels(mel, peak, params.power)
    image = Image.fromarray(pixels)
    tags = image.getexif()
    tags.update({tag: getattr(params, name) for tag, name in _TAGS.items()})
    tags[_MAX_VALUE] = peak * _FULL_SCALE
    image.save(path, "PNG", exif=tags, **_COMPRESSION)
    return pixels


def load(path: Path) -> tuple[Mel, SpectrogramParams]:
    """Reads an image written by Riffusion or `save`.

    Raises ValueError if its tags are missing, contradict each other, or name an unsupported layout.
    """
    from PIL import Image

    with Image.open(path) as image:
        tags = dict(image.getexif())
        pixels = np.asarray(image.convert("RGB"))
    missing = (_TAGS.keys() | {_MAX_VALUE}) - tags.keys()
    if missing or tags.get(_TRIPLE):
        raise ValueError(f"{path.name} is no spectrogram image that can be read: tags {sorted(missing)}")
    params = SpectrogramParams(
        **{name: tags[tag] for tag, name in _TAGS.items()} | {"stereo": bool(tags[11005])}
    )
    if pixels.shape[0] != params.bands:
        raise ValueError(f"{path.name} has {pixels.shape[0]} rows and tags for {params.bands}")
    peak = float(tags[_MAX_VALUE]) / _FULL_SCALE
    return from_pixels(pixels, params.stereo, peak, params.power), params
