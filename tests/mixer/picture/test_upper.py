"""The upper parts of pictures."""

from pathlib import Path

import numpy as np
import pytest

from etbgm_mixer.picture import upper
from etbgm_mixer.picture.cuts import changes, hard_cuts
from etbgm_mixer.picture.groups import CHANGED
from etbgm_mixer.picture.look import look
from etbgm_mixer.picture.reader import Reader
from etbgm_mixer.picture.selection import SWIFT, Stretch
from etbgm_mixer.picture.small import HEIGHT, WIDTH, Block, Sight, Small
from etbgm_mixer.picture.upper import FIRST, RECENT, Reach, beginning_of
from tests.mixer.picture import films
from tests.mixer.picture.films import RATE, Film, scene

UNITS = b"\0\0\0\3abc\0\0\0\5defgh"


def picture(seed: int) -> Small:
    return np.random.default_rng(seed).integers(16, 235, (HEIGHT, WIDTH, 3), np.uint8)


def over(one: Small, other: Small, rows: int) -> Small:
    """`rows` of one picture over the rest of another."""
    return np.concatenate([one[:rows], other[rows:]])


@pytest.mark.parametrize(
    ("size", "beginning"),
    [(6, b"\0\0\0\2ab"), (8, UNITS[:7]), (11, UNITS[:7]), (13, b"\0\0\0\3abc\0\0\0\2de"), (16, UNITS)],
)
def test_the_last_unit_of_a_beginning_states_its_length(size: int, beginning: bytes) -> None:
    assert beginning_of(UNITS, size, 4) == beginning


def test_units_after_start_codes_have_no_length() -> None:
    assert beginning_of(b"\0\0\1abcdef", 6, 0) == b"\0\0\1abc"


def test_a_false_length_is_corrected() -> None:
    assert beginning_of(b"\xff\xff\xff\xffabcdef", 8, 4) == b"\0\0\0\4abcd"


def test_rows_that_repeat_an_earlier_picture_are_not_decoded() -> None:
    reach, one, other = Reach(), picture(1), picture(2)
    assert reach.rows(one, is_whole=True) == HEIGHT
    assert reach.rows(over(other, one, 10), is_whole=False) == 9
    assert reach.rows(over(picture(3), other, 14), is_whole=False) == HEIGHT - 1


def test_empty_memory_is_not_decoded() -> None:
    assert Reach().rows(over(picture(1), np.zeros_like(picture(1)), 12), is_whole=False) == 11


def test_a_picture_that_stands_still_shows_as_much_as_the_one_before() -> None:
    reach, one = Reach(), picture(1)
    reach.rows(one, is_whole=True)
    reach.rows(over(picture(2), one, 10), is_whole=False)
    assert reach.rows(over(picture(2), one, 10), is_whole=False) == 9


def test_pictures_of_long_ago_are_forgotten() -> None:
    reach = Reach()
    for seed in range(RECENT + 1):
        reach.rows(picture(seed), is_whole=True)
    assert reach.rows(picture(0), is_whole=False) == HEIGHT - 1


def test_a_change_from_below_is_no_cut() -> None:
    """Of 12 rows, 7 are spoiled and become right at a key frame."""
    clear, spoiled = picture(1), over(picture(1), picture(2), 5)
    sights = [Sight(i / RATE, spoiled, 12) for i in range(20)]
    sights += [Sight((20 + i) / RATE, clear) for i in range(20)]
    block = Block.of(sights)
    least, greatest = changes(block, 19, 20)
    assert least < CHANGED / 2 < CHANGED < greatest
    assert hard_cuts(block) == []


def test_a_cut_is_seen_in_the_upper_parts() -> None:
    one, other = over(picture(1), picture(3), 8), over(picture(2), picture(3), 8)
    sights = [Sight(i / RATE, one if i < 20 else other, 8) for i in range(40)]
    assert [cut.time_s for cut in hard_cuts(Block.of(sights))] == [20 / RATE]


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film with cuts at 1.6, 2.52 and 4.96 s and one key frame; packets are small, as its pictures are."""
    monkeypatch.setattr(upper, "WHOLE_BYTES", 100)
    shots = Film("cuts")
    for number, count in enumerate((40, 23, 61, 30)):
        shots.add(scene(10 + number, pan=number - 1.5), count)
    return films.write(shots, tmp_path / "film.mkv", "fixed 10 s")


def test_cuts_are_found_in_the_beginnings_of_packets(film: Path) -> None:
    found, looks = look(film, 0, 0.0, 6.16, films.WIDTH * films.HEIGHT, lambda _: None, 1.2e6 / SWIFT)
    assert [cut.time_s for cut in found] == pytest.approx([1.6, 2.52, 4.96], abs=1.01 / RATE)
    assert looks.motion.min() > 0


def test_only_key_frames_are_decoded_wholly(film: Path) -> None:
    reader = Reader(film, 0, 0.0)
    reader.survey()
    rows = [sight.rows for sight in reader.stretch(Stretch(0.0, 6.16, share=0.5))]
    assert rows[0] == HEIGHT
    assert max(rows[FIRST:]) <= upper.MOST_ROWS
    assert len(rows) > 50
