"""Which groups of pictures are decoded, if there is not time for all of them. Pure.

Each group is a wish: a stretch of it that would show whether another shot begins there, what that takes, and
how much it promises. Wishes are granted in this order, as far as the budget reaches.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from etbgm_mixer.picture.groups import CHANGED, MILD, Flags, Floats, Groups

AROUND_S = 0.4
"""How much is decoded before and after a spike, to see what it is: the picture may come back."""

EARLY = 0.6
"""Share of a group that is decoded if one stops once its cut is found."""

GENEROUS = 2.0
"""How much of the budget may be used to see all reference pictures, after which no choice is needed."""

SWIFT = 0.4
"""How much of the budget is used where the upper parts of pictures are enough."""

LEAST_SHARE = 0.3
"""Smallest share of the bytes of pictures that shows enough of them."""

QUIET = 0.25
"""Largest share of the budget for groups that seem to be of one shot, if not all can be decoded."""

WORTHWHILE = 0.1
"""Least share of a group that is decoded if there is not time for all of it."""

GOLDEN = 0.6180339887
"""Multiples of it, modulo 1, are a low-discrepancy sequence: any prefix is spread evenly."""


class Promise(IntEnum):
    """What makes a group worth decoding, the most promising first."""

    SPIKE_AND_CHANGE = 0
    """A packet stands out, and the next group begins with another picture."""
    SPIKE = 1
    """A packet stands out."""
    CHANGE = 2
    """The picture changes gradually, or at a cut that the encoder did not see."""
    KEY_FRAME = 3
    """The picture changes, probably at the key frame that ends the group."""
    NONE = 4
    """It seems to be of one shot; a few of them tell how the picture moves."""


class Stretch(NamedTuple):
    """Pictures to decode, [start_s, end_s] from a key frame.

    Every picture is decoded from `closely_s` on, and only reference pictures before. Cuts are believed from
    `believed_s` on. `leads_to` is the group at whose shot one may stop, if there is one. Of each picture,
    `share` of the bytes is decoded (`upper`).
    """

    start_s: float
    end_s: float
    closely_s: float = math.inf
    believed_s: float = -math.inf
    leads_to: int | None = None
    share: float = 1.0


class Wish(NamedTuple):
    """What would be decoded of a group, and the work; a beginning of it is of use if it `is_divisible`."""

    promise: Promise
    work_px: float
    stretch: Stretch
    is_divisible: bool = False


def everything(groups: Groups, budget_px: float, is_divisible: bool) -> Stretch | None:
    """Returns the whole video, only its reference pictures if there is not time for all; None if for neither.

    An encoder refers to the first or second picture of each shot, so those suffice for cuts. The upper parts
    of them do if pictures are divisible.
    """
    work_px, start_s = float(groups.work_px.sum()), float(groups.starts_s[0])
    enough_px = SWIFT * budget_px if is_divisible else budget_px
    if work_px <= enough_px:
        return Stretch(start_s, groups.end_s, closely_s=start_s)
    work_px *= groups.sparse
    share = min(1.0, max(LEAST_SHARE, enough_px / work_px)) if is_divisible else 1.0
    return Stretch(start_s, groups.end_s, share=share) if share * work_px <= GENEROUS * budget_px else None


def chosen(groups: Groups, budget_px: float) -> tuple[list[Stretch], Flags]:
    """Returns what to decode with so much work, in order of time, and which groups that concerns."""
    wishes = [_wish(groups, i) for i in range(len(groups.starts_s))]
    shares = _granted(wishes, budget_px)
    stretches = [_beginning(wish.stretch, share) for wish, share in zip(wishes, shares, strict=True) if share]
    return list(_joined(stretches)), shares > 0


def _wish(groups: Groups, i: int) -> Wish:
    """Returns what would be decoded of group `i`."""
    start_s, end_s = float(groups.starts_s[i]), float(groups.ends_s[i])
    work_px, spikes_s = groups.sparse * float(groups.work_px[i]), groups.spikes_s[i]
    has_changed, is_placed = groups.change[i] >= MILD, bool(groups.placed[i])
    if len(spikes_s):
        promise = Promise.SPIKE_AND_CHANGE if has_changed and not is_placed else Promise.SPIKE
        first_s, last_s = float(spikes_s[0]), float(spikes_s[-1])
        share = EARLY * (last_s - start_s) / max(1e-3, end_s - start_s)
        closely_s = first_s - AROUND_S
        stretch = Stretch(start_s, min(last_s + AROUND_S, end_s), closely_s, closely_s)
        return Wish(promise, share * work_px, stretch)
    if not has_changed or is_placed:
        promise = Promise.KEY_FRAME if has_changed else Promise.NONE
        return Wish(promise, work_px, Stretch(start_s, end_s))
    if groups.change[i] >= CHANGED:
        return Wish(Promise.CHANGE, EARLY * work_px, Stretch(start_s, end_s, leads_to=i + 1), True)
    return Wish(Promise.CHANGE, work_px, Stretch(start_s, end_s), True)


def _granted(wishes: Sequence[Wish], budget_px: float) -> Floats:
    """Returns the share of each wish that the budget reaches, (n,); cheap wishes come first."""
    shares, quiet_px = np.zeros(len(wishes)), QUIET * budget_px
    for i in _in_order(wishes):
        wish = wishes[i]
        is_quiet = wish.promise is Promise.NONE
        share = min(1.0, (min(budget_px, quiet_px) if is_quiet else budget_px) / wish.work_px)
        if share == 1 or (wish.is_divisible and share > WORTHWHILE):
            shares[i] = share
            budget_px -= share * wish.work_px
            quiet_px -= wish.work_px * is_quiet
    return shares


def _in_order(wishes: Sequence[Wish]) -> list[int]:
    """Returns the places of the wishes, the most promising first; of those that promise nothing, evenly."""
    evenly = np.modf(np.arange(len(wishes)) * GOLDEN)[0]
    works_px = [0.0 if wish.promise is Promise.NONE else wish.work_px for wish in wishes]
    return sorted(range(len(wishes)), key=lambda i: (wishes[i].promise, works_px[i], evenly[i]))


def _beginning(stretch: Stretch, share: float) -> Stretch:
    length_s = stretch.end_s - stretch.start_s
    return stretch if share == 1 else stretch._replace(end_s=stretch.start_s + share * length_s)


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yields the stretches; those that are decoded to their ends and touch are one."""
    before: Stretch | None = None
    for stretch in stretches:
        if before and before.end_s == stretch.start_s and _is_plain(before) and _is_plain(stretch):
            before = before._replace(end_s=stretch.end_s)
            continue
        if before:
            yield before
        before = stretch
    if before:
        yield before


def _is_plain(stretch: Stretch) -> bool:
    """Whether its reference pictures are decoded to the end."""
    return stretch.closely_s == math.inf and stretch.leads_to is None
