"""Cues that touch are joined sample by sample, cues that overlap are cross-faded."""

from pathlib import Path

import numpy as np
import pytest

from etbgm_kit.errors import InvalidField
from etbgm_kit.types import Span
from etbgm_mixer.mixing import music_bed
from etbgm_mixer.mixing.music_bed import PlacedCue
from tests.mixer.conftest import RATE_HZ, Sound, noise, write

pytestmark = pytest.mark.process


def placed(folder: Path, sound: Sound, *spans: tuple[float, float]) -> list[PlacedCue]:
    """The parts of `sound` in the spans, as cues."""
    cues = []
    for i, (a, b) in enumerate(spans):
        path = write(folder / f"{i}.flac", sound[round(a * RATE_HZ) : round(b * RATE_HZ)])
        cues.append(PlacedCue(path, Span(a, b)))
    return cues


def test_touching_cues_join_sample_exactly(tmp_path: Path) -> None:
    sound = noise(4)
    whole = np.concatenate(list(music_bed.blocks(placed(tmp_path, sound, (0, 4)))))
    cut = np.concatenate(list(music_bed.blocks(placed(tmp_path, sound, (0, 1.23), (1.23, 2.5), (2.5, 4)))))
    np.testing.assert_array_equal(cut, whole)


def test_overlapping_cues_keep_their_power(tmp_path: Path) -> None:
    one, other = noise(3, seed=1), noise(3, seed=2)
    first = PlacedCue(write(tmp_path / "a.flac", one), Span(0, 3))
    second = PlacedCue(write(tmp_path / "b.flac", other), Span(1, 4))
    mixed = np.concatenate(list(music_bed.blocks([first, second])))
    assert len(mixed) == 4 * RATE_HZ
    np.testing.assert_allclose(mixed[:RATE_HZ], one[:RATE_HZ], atol=1e-6)
    np.testing.assert_allclose(mixed[3 * RATE_HZ :], other[2 * RATE_HZ :], atol=1e-6)
    powers = (mixed**2).reshape(40, -1).mean(axis=1)
    assert powers.max() / powers.min() < 1.15


@pytest.mark.parametrize(
    ("spans", "field"),
    [
        ([], "cues: are missing"),
        ([Span(0.5, 4)], r"cues\[0\]: starts"),
        ([Span(0, 1), Span(1.5, 4)], r"cues\[1\]: starts"),
        ([Span(0, 3.5)], "cues: end"),
        ([Span(0, 3), Span(1, 3.5), Span(2, 4)], r"cues\[2\]: overlaps"),
    ],
)
def test_gaps_and_tangles_are_refused(spans: list[Span], field: str) -> None:
    with pytest.raises(InvalidField, match=field):
        music_bed.check(spans, 4.0)


def test_a_cue_must_be_as_long_as_its_span(tmp_path: Path) -> None:
    cue = PlacedCue(write(tmp_path / "a.flac", noise(1)), Span(0, 2))
    with pytest.raises(InvalidField, match=r"cues\[0\]\.music"):
        list(music_bed.blocks([cue]))
