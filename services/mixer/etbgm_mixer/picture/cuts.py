"""Finds cuts, fades and dissolves in small pictures. Pure.

Two pictures belong to different shots if they do not resemble each other even when one is shifted: the best
normalised cross-correlation over small shifts is low. Brightness and contrast do not matter, so lights and
flashes are no cuts, and shifts do not, so pans are none either.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from etbgm_kit.types import Cut, CutKind
from etbgm_mixer.picture.groups import CHANGED
from etbgm_mixer.picture.small import HEIGHT, WIDTH, Block

Pictures = NDArray[np.uint8]
"""(n, height, width, 3), Y, Cb, Cr."""

Floats = NDArray[np.float64]

FLAT = 2.0
"""Standard deviation below which a picture is of one colour: noise of a black screen."""

STEP = 3.0
"""Smallest mean difference of two pictures in a row at a cut, of 255: dark shots differ no more."""

SUDDEN = 2.5
"""At a cut, two pictures differ this many times as much as their neighbours."""

RETURN_S = 0.5
"""If the picture before a cut comes back within this time, it was a flash or a passing object."""

BLEND = 0.3
"""Largest distance of the middle of a dissolve from the mean of its ends, relative to their difference."""

SPANS_S = (0.4, 0.8, 1.6)
"""Lengths of gradual transitions that are looked for."""

GRADUAL = 0.6
"""Strength of a gradual transition, relative to that of a hard cut."""

JOINED_S = 0.2
"""Spans of a gradual transition this close belong to the same one."""

SHIFTS_Y, SHIFTS_X = (-2, 0, 2), (-6, -4, -2, 0, 2, 4, 6)
"""Shifts in small pixels; those of 1 hardly matter, as pictures this small are smooth."""

_PAIRS = np.stack([np.eye(WIDTH, k=-dx, dtype=np.float32) for dx in SHIFTS_X])
"""Which columns (WIDTH, WIDTH) meet after each horizontal shift, and which of either picture do at all."""

_MET, _MET_ONE, _MET_TWO = _PAIRS.reshape(len(SHIFTS_X), -1), _PAIRS.sum(2), _PAIRS.sum(1)


def change(one: Pictures, other: Pictures) -> float:
    """Returns how little two pictures (height, width, 3) resemble each other: 0 the same shot, 1 another."""
    flat = one[..., 0].std() < FLAT, other[..., 0].std() < FLAT
    if all(flat):
        apart = np.abs(one.mean((0, 1)) - other.mean((0, 1))).max()
        return float(min(1.0, apart / 60))
    if any(flat):
        return 1.0
    return float(min(1.0, max(0.0, 1 - _correlation(_centred(one), _centred(other)))))


def _centred(picture: Pictures) -> NDArray[np.float32]:
    """Returns the columns (width, height, 3) of a picture without the means of its rows and columns.

    Slides of one template share those.
    """
    values = picture.transpose(1, 0, 2).astype(np.float32, order="C")
    width, height = values.shape[:2]
    columns = np.full(height, 1 / height, np.float32) @ values
    rows = values.reshape(width, -1).mean(0).reshape(height, -1)
    centred: NDArray[np.float32] = values - columns[:, None] - rows + rows.mean(0)
    return centred


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Returns the best normalised cross-correlation of a[x + dx, y + dy] with b[x, y] over the shifts.

    The products of all columns are one matrix, and those of a horizontal shift one of its diagonals.
    """
    (width, height), best = a.shape[:2], -1.0
    for dy in SHIFTS_Y:
        one = a[:, max(0, dy) : height + min(0, dy)].reshape(width, -1)
        two = b[:, max(0, -dy) : height + min(0, -dy)].reshape(width, -1)
        sums = _MET @ (one @ two.T).ravel()
        energy = (_MET_ONE @ (one * one).sum(1)) * (_MET_TWO @ (two * two).sum(1))
        best = max(best, float((sums / (np.sqrt(energy) + 1e-6)).max()))
    return best


def changes(block: Block, i: int, j: int) -> tuple[float, float]:
    """Returns the least and the greatest change between two pictures of a block, 0 to 1.

    If only their upper parts are seen, it is also that of half of them, since what is not decoded moves up
    from below.
    """
    rows = int(min(block.rows[i], block.rows[j]))
    heights = (rows,) if rows == HEIGHT else (rows, rows // 2)
    found = [change(block.pictures[i, :height], block.pictures[j, :height]) for height in heights]
    return min(found), max(found)


def hard_cuts(block: Block) -> list[Cut]:
    """Returns the hard cuts in a block."""
    if len(block) < 2:
        return []
    size = block.steps
    changed = {i: changes(block, i, i + 1)[0] for i in np.flatnonzero(_is_sudden(size)).tolist()}
    sizes = {i: size[i] for i in changed if changed[i] >= CHANGED}
    return [
        Cut(float(block.times_s[i + 1]), strength(changed[i], float(size[i])))
        for i in sizes
        if sizes[i] >= max(sizes.get(j, 0.0) for j in range(i - 2, i + 3)) and not _returns(block, i)
    ]


def gradual_cuts(block: Block) -> list[Cut]:
    """Returns the fades and dissolves in a block, none across a sudden change.

    In the middle of a dissolve, the picture is the mean of both shots; during a pan it is neither.
    """
    if len(block) < 2:
        return []
    found = []
    times_s, sudden = block.times_s, np.cumsum(_is_sudden(block.steps))
    for span_s in SPANS_S:
        for i, j in _spans(times_s, span_s):
            if sudden[j - 1] == sudden[max(0, i - 1)]:
                found += [(i, j, *blended)] if (blended := _blended(block, i, j)) else []
    runs: list[list[tuple[int, int, float, bool]]] = []
    for one in sorted(found):
        if runs and times_s[one[0]] - times_s[runs[-1][-1][1]] <= JOINED_S:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [_cut(times_s, run) for run in runs if _leads_on(block, run)]


Run = Sequence[tuple[int, int, float, bool]]
"""Overlapping spans of one transition: first and last picture, strength, whether an end is of one colour."""


def _blended(block: Block, i: int, j: int) -> tuple[float, bool] | None:
    """Returns the strength of a transition from i to j, and whether it is a fade; None if there is none."""
    places = (i, (i + j) // 2, j)
    rows = min(block.rows[k] for k in places)
    one, middle, other = (block.pictures[k, :rows].astype(np.float32) for k in places)
    size = float(np.abs(other - one).mean())
    if size < 2 * STEP or np.abs(middle - (one + other) / 2).mean() > BLEND * size:
        return None
    changed = changes(block, i, j)[0]
    flat = one[..., 0].std() < FLAT or other[..., 0].std() < FLAT
    return (round(GRADUAL * strength(changed, size), 3), bool(flat)) if changed >= CHANGED else None


def _leads_on(block: Block, run: Run) -> bool:
    """Whether the pictures before and after a run are of different shots: a slow flash leads back."""
    times_s = block.times_s
    start_s, end_s = times_s[run[0][0]], times_s[max(j for _, j, *_ in run)]
    before, after = np.searchsorted(times_s, (start_s - RETURN_S / 2, end_s + RETURN_S / 2))
    return changes(block, int(before), min(int(after), len(block) - 1))[0] >= CHANGED


def _cut(times_s: Floats, run: Run) -> Cut:
    """Returns the cut in the middle of a run: a fade out and in is one, too."""
    middles_s = [(times_s[i] + times_s[j]) / 2 for i, j, *_ in run]
    kind = CutKind.FADE if any(flat for *_, flat in run) else CutKind.DISSOLVE
    return Cut(float(min(middles_s) + max(middles_s)) / 2, max(strength for _, _, strength, _ in run), kind)


def strength(changed: float, size: float) -> float:
    """Returns a cut's strength: how little the shots resemble each other, and how far colours differ."""
    return round(0.5 * min(1.0, changed) + 0.5 * min(1.0, size / 40), 3)


def _spans(times_s: Floats, span_s: float) -> Iterator[tuple[int, int]]:
    """Yields the first and last pictures of spans of that length, each a quarter later."""
    for start_s in np.arange(times_s[0], times_s[-1] - span_s, span_s / 4):
        i, j = np.searchsorted(times_s, (start_s, start_s + span_s))
        if j - i >= 4 and j < len(times_s):
            yield int(i), int(j)


def _is_sudden(size: Floats) -> NDArray[np.bool_]:
    """Returns which steps are much larger than the median of five steps on either side, (n,)."""
    padded = np.pad(size, 5, mode="reflect" if len(size) > 5 else "edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 11)
    usual = np.median(np.delete(windows, 5, axis=1), axis=1)
    sudden: NDArray[np.bool_] = (size >= STEP) & (size >= SUDDEN * usual + 1.0)
    return sudden


def _returns(block: Block, i: int) -> bool:
    """Whether the picture before step i comes back soon, or that after it was there shortly before."""
    times_s = block.times_s
    after = range(i + 2, int(np.searchsorted(times_s, times_s[i + 1] + RETURN_S)))
    before = range(int(np.searchsorted(times_s, times_s[i] - RETURN_S)), i)
    return any(changes(block, i, j)[1] < CHANGED for j in after) or any(
        changes(block, i + 1, j)[1] < CHANGED for j in before
    )
