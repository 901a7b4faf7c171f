"""Pictures of high dynamic range as those of standard range, so that the same light reads the same. Pure.

Constants are those of ITU-R BT.2100 (PQ, HLG and BT.2020's luma), BT.2408 (203 cd/m² is the white of
standard range), BT.2087 (BT.2020 to BT.709) and BT.1886 (the display's gamma).
"""

import numpy as np
from numpy.typing import NDArray

PQ, HLG = 16, 18
"""`AVCOL_TRC_SMPTE2084` and `AVCOL_TRC_ARIB_STD_B67`."""

TRANSFERS = frozenset({PQ, HLG})

WHITE_CD_M2 = 203.0

HLG_PEAK_CD_M2, HLG_SYSTEM_GAMMA = 1000.0, 1.2

GAMMA = 2.4

WIDE_LUMA = np.array([0.2627, 0.6780, 0.0593])
LUMA = np.array([0.2126, 0.7152, 0.0722])

TO_NARROW = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])

Floats = NDArray[np.float64]


def as_standard(picture: NDArray[np.uint8], transfer: int) -> NDArray[np.uint8]:
    """Returns a picture (height, width, 3), Y, Cb, Cr, with that transfer in BT.709; highlights clip."""
    signal = np.clip(_to_rgb(picture, WIDE_LUMA), 0, 1)
    light_cd_m2 = _pq(signal) if transfer == PQ else _hlg(signal)
    narrow = np.clip(light_cd_m2 / WHITE_CD_M2 @ TO_NARROW.T, 0, 1)
    return _from_rgb(narrow ** (1 / GAMMA), LUMA)


def _pq(signal: Floats) -> Floats:
    m1, m2 = 2610 / 16384, 2523 / 32
    c1, c2, c3 = 3424 / 4096, 2413 / 128, 2392 / 128
    root = signal ** (1 / m2)
    light: Floats = 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return light


def _hlg(signal: Floats) -> Floats:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luma = (scene @ WIDE_LUMA)[..., None]
    light: Floats = HLG_PEAK_CD_M2 * scene * np.maximum(luma, 1e-9) ** (HLG_SYSTEM_GAMMA - 1)
    return light


def _to_rgb(picture: NDArray[np.uint8], luma: Floats) -> Floats:
    """Returns R'G'B', nominally 0 to 1."""
    y = (picture[..., 0] - 16.0) / 219
    blue = (picture[..., 1] - 128.0) / 224 * 2 * (1 - luma[2])
    red = (picture[..., 2] - 128.0) / 224 * 2 * (1 - luma[0])
    green = -(luma[0] * red + luma[2] * blue) / luma[1]
    rgb: Floats = np.stack([y + red, y + green, y + blue], axis=-1)
    return rgb


def _from_rgb(rgb: Floats, luma: Floats) -> NDArray[np.uint8]:
    y = rgb @ luma
    blue = (rgb[..., 2] - y) / (2 * (1 - luma[2]))
    red = (rgb[..., 0] - y) / (2 * (1 - luma[0]))
    picture: NDArray[np.uint8] = np.stack([16 + 219 * y, 128 + 224 * blue, 128 + 224 * red], axis=-1).astype(
        np.uint8
    )
    return picture
