"""Which groups of pictures are decoded with how much work."""

import math
from dataclasses import replace

import numpy as np
import pytest

from etbgm_mixer.picture.groups import BYTE_PX, Groups, Packets, groups_of
from etbgm_mixer.picture.look import SETTLED_S, _until
from etbgm_mixer.picture.selection import (
    EARLY,
    GENEROUS,
    LEAST_SHARE,
    SWIFT,
    Stretch,
    _joined,
    chosen,
    everything,
)
from etbgm_mixer.picture.small import Sight

PICTURE_PX = 1000 + int(100 * BYTE_PX)


def made(*changes: float) -> Groups:
    """Groups of 2 s, 25 pictures of 100 bytes and 1000 pixels a second, whose first pictures differ so."""
    count = 50 * (len(changes) + 1)
    packets = Packets(np.arange(count) / 25, np.full(count, 100))
    return groups_of(packets, 2.0 * np.arange(len(changes) + 1), np.array(changes), 1000)


def test_everything_is_decoded_if_there_is_time() -> None:
    whole = everything(made(0.0, 0.9), 150 * PICTURE_PX, is_divisible=False)
    assert whole and (whole.start_s, whole.closely_s, whole.leads_to) == (0.0, 0.0, None)
    assert whole.end_s == pytest.approx(5.96)


def test_reference_pictures_are_decoded_if_there_is_time_for_those() -> None:
    groups = replace(made(0.0, 0.9), sparse=0.5)
    least_px = 75 * PICTURE_PX / GENEROUS
    whole = everything(groups, 1.01 * least_px, is_divisible=False)
    assert whole and (whole.start_s, whole.closely_s, whole.share) == (0.0, math.inf, 1.0)
    assert everything(groups, 0.99 * least_px, is_divisible=False) is None


@pytest.mark.parametrize(("times", "share"), [(1.0, 1.0), (0.8, 0.8), (0.2, LEAST_SHARE)])
def test_of_divisible_pictures_as_much_is_decoded_as_there_is_time_for(times: float, share: float) -> None:
    groups = replace(made(0.0, 0.9), sparse=0.5)
    whole = everything(groups, times * 75 * PICTURE_PX / SWIFT, is_divisible=True)
    assert whole and whole.share == pytest.approx(share)


def test_too_little_of_divisible_pictures_shows_nothing() -> None:
    least_px = LEAST_SHARE * 150 * PICTURE_PX / GENEROUS
    assert everything(made(0.0, 0.9), 0.99 * least_px, is_divisible=True) is None


def test_a_group_that_leads_to_another_shot_comes_first() -> None:
    stretches, taken = chosen(made(0.0, 0.9, 0.0, 0.0), EARLY * 51 * PICTURE_PX)
    assert [(one.start_s, one.end_s, one.leads_to) for one in stretches] == [(2.0, 4.0, 2)]
    assert taken.tolist() == [False, True, False, False, False]


def test_of_a_group_that_is_too_long_the_beginning_is_decoded() -> None:
    (stretch,), _ = chosen(made(0.0, 0.9, 0.0, 0.0), EARLY * 25 * PICTURE_PX)
    assert (stretch.start_s, stretch.end_s) == (2.0, pytest.approx(3.0))


def test_groups_of_one_shot_get_a_small_share() -> None:
    _, taken = chosen(made(*[0.0] * 19), 500 * PICTURE_PX)
    assert np.count_nonzero(taken[:-1]) == 2  # a quarter of ten groups; nothing is known of the last group


def test_decoding_stops_a_while_after_the_shot_has_come() -> None:
    one, other = (np.random.default_rng(seed).integers(0, 255, (36, 64, 3), np.uint8) for seed in (1, 2))
    sights = [Sight(i / 25, one if i < 40 else other) for i in range(200)]
    last_s = list(_until(iter(sights), other[..., :1]))[-1].time_s
    assert 1.6 + SETTLED_S < last_s <= 1.6 + SETTLED_S + 0.25
    assert len(list(_until(iter(sights), None))) == 200


def test_groups_that_follow_each_other_are_decoded_at_once() -> None:
    first, second, early = Stretch(0.0, 2.0), Stretch(2.0, 4.0), Stretch(4.0, 6.0, leads_to=3)
    assert list(_joined([first, second, early])) == [Stretch(0.0, 4.0), early]
    assert list(_joined([first, Stretch(2.5, 4.0)])) == [first, Stretch(2.5, 4.0)]
